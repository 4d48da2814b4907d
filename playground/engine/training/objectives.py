"""The kinds of training there are, by the name that a request gives: an entry in `objectives` per kind."""

from __future__ import annotations

from collections.abc import Sequence

from playground.engine.adapters.places import places
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.policies import POLICY
from playground.engine.contract.preferences import DPO
from playground.engine.contract.pretraining import OBJECTIVES
from playground.engine.contract.reward_models import REWARD
from playground.engine.contract.task_heads import FROZEN, WHOLE
from playground.engine.contract.training import FinetuneRequest, TrainingRequest
from playground.engine.pretraining.trained import PretrainedTable
from playground.engine.recurrent.trained import NetworkTable
from playground.engine.task_heads.trained import HeadTable
from playground.engine.training.adapter_objective import AdapterObjective, check_adapter
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import AdapterBank
from playground.engine.training.direct_preferences import DirectPreferences
from playground.engine.training.fisher import FisherTable
from playground.engine.training.learner import AnyObjective, GiveWay, NewSlot
from playground.engine.training.other_banks import BANKS
from playground.engine.training.pairs import TrainingOnPairs
from playground.engine.training.policy_objective import LearningFromRewards
from playground.engine.training.pretraining import TrainingFromZero
from playground.engine.training.remedies import check_remedy
from playground.engine.training.reward_models import TrainingOfRewards
from playground.engine.training.samples import Write
from playground.engine.training.task_heads import TrainingOfEncoders, TrainingOfHeads
from playground.settings import Settings


def objectives(
    settings: Settings,
    adapters: AdapterTable,
    networks: NetworkTable,
    heads: HeadTable,
    pretrained: PretrainedTable,
    write: Write,
) -> dict[str, AnyObjective]:
    """Every kind of training, by its name.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        networks: Store of networks that were trained from nothing.
        heads: Store of task heads.
        pretrained: Store of models that were trained from zero.
        write: Continues a run's prompts with a model, beside everything else the engine does.
    """
    return {
        "sft": SupervisedFinetuning(settings, adapters, write),
        DPO: DirectPreferences(settings, adapters, write),
        POLICY: LearningFromRewards(settings, adapters, write, heads.rewards),
        REWARD: TrainingOfRewards(settings, adapters, heads.rewards),
        "pairs": TrainingOnPairs(settings, networks),
        FROZEN: TrainingOfHeads(settings, adapters, heads),
        WHOLE: TrainingOfEncoders(settings, adapters, heads),
        **{name: TrainingFromZero(settings, pretrained, write) for name in OBJECTIVES},
    }


class SupervisedFinetuning(AdapterObjective):
    """Adapters that learn to predict the trained tokens of texts: cross entropy, nats per token.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        write: Continues a run's prompts with a model.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, write: Write) -> None:
        super().__init__(settings, adapters, write)
        self._fishers = FisherTable()

    def prepare(self, request: TrainingRequest) -> NewSlot[AdapterSlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, FinetuneRequest)
        loaded = self._adapters.decoder(request.settings.model)
        texts = (*request.train, *request.held_out, *request.general, *request.old)
        check_adapter(request, [text.input_ids for text in texts], self._settings, loaded.info)
        layers = places(loaded, request.settings)
        check_remedy(request, self.limits, loaded, layers)
        return self.new_slot(request, loaded, layers)

    def learner(self, slots: Sequence[AdapterSlot], give_way: GiveWay) -> AdapterBank:
        """Adapters of one base, trained in one step."""
        bank = BANKS[slots[0].method](slots[0].loaded, slots, give_way)
        return bank.knowing(self._fishers)

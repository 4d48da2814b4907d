"""The exception tree. Every leaf is one sentence for the reader: what, which value, what to do.

PlaygroundError
 +- InputError            the reader can change the input
 |   +- EmptyText
 |   +- TextTooLong       limit, got (characters)
 |   +- TextTooShort      limit, got (bytes)
 |   +- TooManyBytes      limit, got (bytes)
 |   +- TooManyTokens     limit, got
 |   +- PassageTooShort   got (tokens)
 |   +- NoMask            mask
 |   +- TooManyMasks      limit, got
 |   +- BadValue          name, value, allowed
 |   +- ConstraintRefused kind, reason
 |   +- BadUpload         row, reason
 |   |   +- WrongFieldCount   row, got, expected
 |   +- BadFile           reason
 |   |   +- TwoAdapters       first, second
 |   |   +- AdapterSetting    name, value, allowed
 |   |   +- AdapterMisfit     tensor, model, base, reason
 |   |   +- AdapterShape      tensor, model, base, got, needed
 |   |   +- UnclearEncoding   encodings
 |   |   +- FileTooLarge      name, got_mb, limit_mb
 |   |   +- WrongFileType     name, allowed
 |   +- Question          the reader decides
 |   |   +- OtherBase         base, model
 |   +- TooManyAdapters   limit
 |   +- TooManyNetworks   limit
 |   +- TooManyHeads      limit
 |   +- TooManyModels     limit
 |   +- HeldOutTrained    text
 |   +- OneLabelOnly      label
 |   +- SameAnswers       prompt
 |   +- AlikeWhenCut      prompt
 |   +- UnknownCharacters characters, known
 |   +- TooManyRuns       limit
 |   +- TooManyDocuments  limit
 |   +- TooManyChunks     got, limit
 |   +- TooManyCollections limit
 |   +- CollectionGone
 |   +- TooManyAnswers    limit
 |   +- AnswerExists      number
 |   +- TooFewOptions
 |   +- TooManyOptions    limit, got
 |   +- SameOptions       option
 |   +- OptionTooLong     option, limit, got
 |   +- NoName            limit
 |   +- NameTaken         name
 |   +- BadLink           link
 |   +- NotTeacher
 |   +- WrongTeacherPassword
 +- ModelError            the model cannot do it
 |   +- ModelNotFound     model_id, cure
 |   |   +- NotOnHub      model_id, status
 |   |   +- LicenceNotAccepted model_id, page
 |   |   +- TokenRefused  model_id, page, status
 |   +- Unsupported       model_id, capability
 |   +- OutOfMemory
 |   +- TooLargeToCopy    model_id, got_gb, limit_gb
 |   +- TooLittleMemory   needed_mb, free_mb
 |   +- NotComputed
 |   +- NotFinite         model_id
 |   +- ModelDamaged      model_id, cure
 |   +- HubUnreachable    model_id
 |   +- HubUntrusted      reason
 |   +- HubBusy           model_id
 |   +- HubAnswered       model_id, status
 |   +- NoHub             address
 |   +- WrongBytes        model_id, file
 |   +- AdapterGone       model_id
 |   |   +- ModelGone     model_id
 |   +- NetworkGone       network_id
 |   +- HeadGone          head_id
 |   +- Diverged          step, loss
 |   +- ModelRefused      WrongArchitecture, ConfigRefused, UnknownSetting, WrongConfig,
 |                        WrongWeights, ModelTooLarge, NoSafetensors, NoTokenizer
 +- BusyError             later it can
 |   +- QueueFull         position
 |   +- TimedOut          seconds
 |   +- NoRoom
 |   +- PollOver
 |   +- NoClass
 |   +- RoomFull          limit
 |   +- TooManyAttempts
 |   +- TrainingFrozen
 |   +- ReplicaLost
 |   +- Cancelled
 |       +- Superseded
 +- SetUpError            reason, cure (command line)
 |   +- DiskFull          needed_mb, free_mb
 |   +- CannotWrite       reason
 |   +- FileLimit         needed_mb
 |   +- EngineFailed      error
 +- MissingExtra          package, cure

`msgid` is the English sentence and the gettext key; `params` fills its braces. `error.message` is both as
plain data; `ui.text.sentence` says it in the reader's language. A parameter that is to be translated too (a
reason, a cure) is a `Message`; a text is a value and is shown as it is.
"""

from __future__ import annotations

from playground.errors.base import N_ as N_
from playground.errors.base import BusyError as BusyError
from playground.errors.base import InputError as InputError
from playground.errors.base import MissingExtra as MissingExtra
from playground.errors.base import ModelError as ModelError
from playground.errors.base import PlaygroundError as PlaygroundError
from playground.errors.base import SetUpError as SetUpError
from playground.errors.classroom import BadLink as BadLink
from playground.errors.classroom import NameTaken as NameTaken
from playground.errors.classroom import NoClass as NoClass
from playground.errors.classroom import NoName as NoName
from playground.errors.classroom import NotTeacher as NotTeacher
from playground.errors.classroom import RoomFull as RoomFull
from playground.errors.classroom import TooManyAttempts as TooManyAttempts
from playground.errors.classroom import TrainingFrozen as TrainingFrozen
from playground.errors.classroom import WrongTeacherPassword as WrongTeacherPassword
from playground.errors.inputs import AdapterMisfit as AdapterMisfit
from playground.errors.inputs import AdapterSetting as AdapterSetting
from playground.errors.inputs import AdapterShape as AdapterShape
from playground.errors.inputs import AlikeWhenCut as AlikeWhenCut
from playground.errors.inputs import AnswerExists as AnswerExists
from playground.errors.inputs import BadFile as BadFile
from playground.errors.inputs import BadUpload as BadUpload
from playground.errors.inputs import BadValue as BadValue
from playground.errors.inputs import CollectionGone as CollectionGone
from playground.errors.inputs import ConstraintRefused as ConstraintRefused
from playground.errors.inputs import EmptyText as EmptyText
from playground.errors.inputs import FileTooLarge as FileTooLarge
from playground.errors.inputs import HeldOutTrained as HeldOutTrained
from playground.errors.inputs import NoMask as NoMask
from playground.errors.inputs import OneLabelOnly as OneLabelOnly
from playground.errors.inputs import OtherBase as OtherBase
from playground.errors.inputs import PassageTooShort as PassageTooShort
from playground.errors.inputs import Question as Question
from playground.errors.inputs import SameAnswers as SameAnswers
from playground.errors.inputs import TextTooLong as TextTooLong
from playground.errors.inputs import TextTooShort as TextTooShort
from playground.errors.inputs import TooManyAdapters as TooManyAdapters
from playground.errors.inputs import TooManyAnswers as TooManyAnswers
from playground.errors.inputs import TooManyBytes as TooManyBytes
from playground.errors.inputs import TooManyChunks as TooManyChunks
from playground.errors.inputs import TooManyCollections as TooManyCollections
from playground.errors.inputs import TooManyDocuments as TooManyDocuments
from playground.errors.inputs import TooManyHeads as TooManyHeads
from playground.errors.inputs import TooManyMasks as TooManyMasks
from playground.errors.inputs import TooManyModels as TooManyModels
from playground.errors.inputs import TooManyNetworks as TooManyNetworks
from playground.errors.inputs import TooManyRuns as TooManyRuns
from playground.errors.inputs import TooManyTokens as TooManyTokens
from playground.errors.inputs import TwoAdapters as TwoAdapters
from playground.errors.inputs import UnclearEncoding as UnclearEncoding
from playground.errors.inputs import UnknownCharacters as UnknownCharacters
from playground.errors.inputs import WrongFieldCount as WrongFieldCount
from playground.errors.inputs import WrongFileType as WrongFileType
from playground.errors.later import Cancelled as Cancelled
from playground.errors.later import NoRoom as NoRoom
from playground.errors.later import QueueFull as QueueFull
from playground.errors.later import ReplicaLost as ReplicaLost
from playground.errors.later import Superseded as Superseded
from playground.errors.later import TimedOut as TimedOut
from playground.errors.message import Message as Message
from playground.errors.models import AdapterGone as AdapterGone
from playground.errors.models import ConfigRefused as ConfigRefused
from playground.errors.models import Diverged as Diverged
from playground.errors.models import HeadGone as HeadGone
from playground.errors.models import HubAnswered as HubAnswered
from playground.errors.models import HubBusy as HubBusy
from playground.errors.models import HubUnreachable as HubUnreachable
from playground.errors.models import HubUntrusted as HubUntrusted
from playground.errors.models import LicenceNotAccepted as LicenceNotAccepted
from playground.errors.models import ModelDamaged as ModelDamaged
from playground.errors.models import ModelGone as ModelGone
from playground.errors.models import ModelNotFound as ModelNotFound
from playground.errors.models import ModelRefused as ModelRefused
from playground.errors.models import ModelTooLarge as ModelTooLarge
from playground.errors.models import NetworkGone as NetworkGone
from playground.errors.models import NoHub as NoHub
from playground.errors.models import NoSafetensors as NoSafetensors
from playground.errors.models import NotComputed as NotComputed
from playground.errors.models import NotFinite as NotFinite
from playground.errors.models import NoTokenizer as NoTokenizer
from playground.errors.models import NotOnHub as NotOnHub
from playground.errors.models import OutOfMemory as OutOfMemory
from playground.errors.models import TokenRefused as TokenRefused
from playground.errors.models import TooLargeToCopy as TooLargeToCopy
from playground.errors.models import TooLittleMemory as TooLittleMemory
from playground.errors.models import UnknownSetting as UnknownSetting
from playground.errors.models import Unsupported as Unsupported
from playground.errors.models import WrongArchitecture as WrongArchitecture
from playground.errors.models import WrongBytes as WrongBytes
from playground.errors.models import WrongConfig as WrongConfig
from playground.errors.models import WrongWeights as WrongWeights
from playground.errors.polls import OptionTooLong as OptionTooLong
from playground.errors.polls import PollOver as PollOver
from playground.errors.polls import SameOptions as SameOptions
from playground.errors.polls import TooFewOptions as TooFewOptions
from playground.errors.polls import TooManyOptions as TooManyOptions
from playground.errors.set_up import CannotWrite as CannotWrite
from playground.errors.set_up import DiskFull as DiskFull
from playground.errors.set_up import EngineFailed as EngineFailed
from playground.errors.set_up import FileLimit as FileLimit

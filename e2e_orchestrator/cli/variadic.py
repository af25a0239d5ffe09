"""Options that take several values in a row: ``--phase health backend_smoke``.

Click refuses such options because they swallow what follows. Here nothing follows: the commands take
no arguments, so that the values of an option end at the next dash.
"""

import itertools
import re
from collections.abc import Collection, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

_GIVEN = "e2e_orchestrator.given"


class Words(click.ParamType):  # type: ignore[type-arg]  # Older clicks have no generic one.
    """Names of one kind, written with blanks or commas between them; ``what`` they name, for completion."""

    name = "name"

    def __init__(self, what: str) -> None:
        self.what = what

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [word for word in re.split(r"[\s,]+", rv) if word]

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature.
        incomplete: str,
    ) -> list[CompletionItem]:
        # Reading the configuration costs 100 ms and more, and only a completion needs it here.
        from e2e_orchestrator.cli.complete import complete_names  # noqa: PLC0415

        return complete_names(self.what, ctx=ctx, incomplete=incomplete)


class VariadicOption(click.Option):
    """An option for a :class:`VariadicCommand`; its value is a tuple of words."""

    def __init__(self, param_decls: Sequence[str], **attributes: Any) -> None:
        super().__init__(param_decls, multiple=True, **attributes)

    def type_cast_value(self, ctx: click.Context, value: Any) -> tuple[str, ...]:
        words = [word.strip() for given in super().type_cast_value(ctx, value) for word in given.split(",")]
        if words and not all(words) and not ctx.resilient_parsing:
            raise _needs_value(self.opts[0], ctx)
        return tuple(dict.fromkeys(word for word in words if word))


class VariadicCommand(click.Command):
    """A command whose variadic options take every word up to the next that starts with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_GIVEN] = list(args)
        spread, lonely = spread_values(args, options=self._variadic(ctx))
        if lonely and not ctx.resilient_parsing:
            raise _needs_value(lonely[0], ctx)
        return super().parse_args(ctx, spread)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # Click completes the first value of an option; the others reach the command as if they were
        # arguments of its own.
        options = self._variadic(ctx)
        last = next((word for word in reversed(ctx.meta.get(_GIVEN, [])) if word.startswith("-")), None)
        if last in options and not incomplete.startswith("-"):
            return options[last].shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)

    def _variadic(self, ctx: click.Context) -> dict[str, VariadicOption]:
        params = (param for param in self.get_params(ctx) if isinstance(param, VariadicOption))
        return {name: param for param in params for name in param.opts}


def spread_values(args: Sequence[str], *, options: Collection[str]) -> tuple[list[str], list[str]]:
    """``--phase a b`` becomes ``--phase a --phase b``; also the options that no value follows."""
    spread: list[str] = []
    lonely: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*spread, word, *rest], lonely
        if word not in options:
            spread.append(word)
            continue
        values = list(itertools.takewhile(lambda value: not value.startswith("-"), rest))
        del rest[: len(values)]
        if not values:
            lonely.append(word)
        for value in values:
            spread += [word, value]
    return spread, lonely


def _needs_value(option: str, ctx: click.Context) -> click.UsageError:
    return click.UsageError(f"{option} needs a value, such as {option} NAME", ctx=ctx)

"""What a contrast is given to go by, and what it says that it did. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from facturacion.figuras import Figuras
    from facturacion.paginas import Pagina


@dataclass(frozen=True, slots=True)
class Terms:
    """Durations of a contrast. `due`: how old an open comprobante must be before it is asked about by itself.

    `before`: when the last contrast began that looked at everything; None where there was none. `told`: until when the
    cuenta may have been told something by a hook. `issued`: how many are known to wait for their CAE, which are all
    that is looked for; None: this one looks at everything. `pagina`: where the last of them were found (`paginas`).
    """

    provider_timeout: timedelta
    quiet: timedelta
    settle: timedelta
    due: timedelta
    before: datetime | None = None
    told: datetime | None = None
    issued: int | None = None
    pagina: Pagina | None = None


@dataclass(slots=True)
class Contrasted:
    """What a contrast did. `answered` is False when the provider stopped answering: the rest waits for the next one.

    `importe`: of what was finished. `line`: how many are in the provider's line, scheduled ones apart. `head`: it found
    those that were issued among the oldest, and read no further. `whole`: it read everything, and was not cut short by
    the provider's silence or the end of the invocation. `figuras`: of what it looked at; None where there was no time
    to look. `untold`: when a hook should have come, of the first after `Terms.told` that was found without one.
    `pagina`: the first page on which an issued one was found that was looked for. `astray`: none was, around that of
    the `Terms`.
    """

    open: int = 0
    queries: int = 0
    finished: int = 0
    importe: Decimal = Decimal(0)
    healed: int = 0
    told: int = 0
    unfinished: int = 0
    line: int = 0
    answered: bool = True
    head: bool = False
    whole: bool = True
    figuras: Figuras | None = None
    untold: list[datetime] = field(default_factory=list)
    pagina: Pagina | None = None
    astray: bool = False

    def as_fields(self) -> dict[str, object]:
        """For the log."""
        fields = {f.name: getattr(self, f.name) for f in dataclass_fields(self)}
        return {name: value for name, value in fields.items() if name not in {"figuras", "untold", "pagina"}}

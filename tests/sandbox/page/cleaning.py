"""What CloudWatch takes out of a widget's HTML before it shows it.

Its user guide names scripts, `iframe` and `use`, «or other known security vulnerabilities»; the rest of its list is not
published. Here everything goes that is not known to be harmless, which is stricter, so that what is seen here is seen
there.
"""

from __future__ import annotations

import nh3

_FORMS = {"button", "form", "input", "label", "option", "select", "textarea"}
_ACTION = {"action", "confirmation", "display", "endpoint", "event"}
TAGS = nh3.ALLOWED_TAGS | _FORMS | {"cwdb-action", "style"}
ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {
    "*": {"class", "style", "title"},
    "cwdb-action": _ACTION,
    "input": {"checked", "maxlength", "name", "placeholder", "size", "type", "value"},
    "textarea": {"cols", "maxlength", "name", "placeholder", "rows"},
    "option": {"selected", "value"},
    "select": {"name"},
}


def clean(html: str) -> str:
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, clean_content_tags={"script"}, link_rel=None)

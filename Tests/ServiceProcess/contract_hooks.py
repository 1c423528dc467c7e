"""Given to schemathesis by contract_test.py: puts identifiers that exist where made-up ones stand,
so that not all that is found out is that nothing is found.

What there is comes in $CAIRN_KNOWN, as JSON. Values that are no identifiers are left alone, and so
is every fourth that is one: there has to be an answer for those, too.
"""

import itertools
import json
import os
import re

import schemathesis

KNOWN = json.loads(os.environ["CAIRN_KNOWN"])
IDENTIFIER = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9_]{1,32}-[0-9a-f]{6}")
# Each is given to one deletion only, for it is gone then.
EXPENDABLE = iter(KNOWN["expendable"])
UNKNOWN_INTERVAL = 4
counter = itertools.count(1)
KEY = re.compile(r"[\x21-\x7e]{1,255}")
keys = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes a request that is about to be sent."""
    set_new_key(case.headers)
    parameters = case.path_parameters
    names = [name for name in ("backup_id", "other_id", "job_id") if name in (parameters or {})]
    if not names or not all(IDENTIFIER.fullmatch(str(parameters[name])) for name in names):
        return
    if next(counter) % UNKNOWN_INTERVAL == 0:
        return
    operation = case.operation.definition.raw.get("operationId")
    for name in names:
        parameters[name] = known(operation, name) or parameters[name]
    if operation == "getDocument":
        parameters |= KNOWN["document"]


@schemathesis.hook
def filter_headers(context, headers):
    """Blanks around a header's value are not part of it: what is too long with them may be a good
    value without, and is taken, rightly."""
    return all(str(value) == str(value).strip() for value in (headers or {}).values())


def set_new_key(headers):
    """Schemathesis likes to send the same key with another request, which is refused, rightly."""
    for name in headers or {}:
        if name.lower() == "idempotency-key" and KEY.fullmatch(str(headers[name])):
            headers[name] = f"{next(keys)}-{headers[name]}"[:255]


def known(operation, name):
    """An identifier that makes sense there."""
    if operation == "deleteBackup":
        return next(EXPENDABLE, None)
    if operation == "resumeJob":
        return KNOWN["resumable_job"]
    return KNOWN[name]

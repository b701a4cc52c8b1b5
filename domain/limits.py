"""Limits of the public contract: what callers may send and what deciders accept.

Sizes are in bytes, lengths in characters; patterns are regular expressions.
"""

from typing import Final

NAME_LENGTH: Final = 100
DESCRIPTION_LENGTH: Final = 2_000
LANGUAGE_LENGTH: Final = 40
TITLE_LENGTH: Final = 200
TEXT_LENGTH: Final = 20_000
MESSAGE_LENGTH: Final = 100_000
FEEDBACK_LENGTH: Final = 4_000
PATH_LENGTH: Final = 1_024
LINE_NUMBER: Final = 10_000_000
FILE_SIZE: Final = 5 * 1024 * 1024
BODY_SIZE: Final = 10 * 1024 * 1024
BATCH_COMMANDS: Final = 500
COMMIT_CHANGES: Final = 20_000
"""How many changes a commit, or a part of a larger one, may have in one request."""

COUNTED_CHANGES: Final = 100
"""So many changes of a commit count as one request."""

PARENTS: Final = 1_000
"""git merges any number; the largest known merge of a public project has 66 parents."""

REVIEW_COMMITS: Final = 250
"""How many commits a review may name. Inputs have never allowed more, so no stored review has more."""

MENTIONS: Final = 50
"""How many accounts one text mentions; those named after them are not notified."""

READ_IDS: Final = 100
ID_LENGTH: Final = 100
REQUEST_ID_LENGTH: Final = 128
EMAIL_LEAST: Final = 3
EMAIL_LENGTH: Final = 254
TIME_LENGTH: Final = 40
PASSWORD_LEAST: Final = 8
PASSWORD_LENGTH: Final = 1_024
CODE_LEAST: Final = 6
CODE_LENGTH: Final = 40
TOKEN_LENGTH: Final = 4_096
TOKEN_DAYS: Final = 366
TOKEN_DAYS_DEFAULT: Final = 90

LINE: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
HANDLE: Final = r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$"
SHA: Final = r"^[0-9a-f]{4,64}$"
PATH: Final = r"^[^/\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
ACCOUNT_REFERENCE: Final = f"{UUID}|^@{HANDLE[1:]}"
EMAIL: Final = r"^[^@\s]+@[^@\s]+$"

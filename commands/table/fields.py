"""The types of the fields that callers send, with their limits, and the base of every input."""

from typing import Annotated, dataclass_transform

from msgspec import Meta, Struct

from domain import limits

Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_LENGTH, pattern=limits.LINE)]
Description = Annotated[str, Meta(max_length=limits.DESCRIPTION_LENGTH)]
Language = Annotated[str, Meta(min_length=1, max_length=limits.LANGUAGE_LENGTH, pattern=limits.LINE)]
Title = Annotated[str, Meta(min_length=1, max_length=limits.TITLE_LENGTH, pattern=limits.LINE)]
Text = Annotated[str, Meta(max_length=limits.TEXT_LENGTH)]
Words = Annotated[str, Meta(min_length=1, max_length=limits.TEXT_LENGTH)]
Message = Annotated[str, Meta(max_length=limits.MESSAGE_LENGTH)]
Path = Annotated[str, Meta(min_length=1, max_length=limits.PATH_LENGTH, pattern=limits.PATH)]
LineNumber = Annotated[int, Meta(ge=1, le=limits.LINE_NUMBER)]
Sha = Annotated[str, Meta(pattern=limits.SHA)]
Id = Annotated[str, Meta(pattern=limits.UUID)]
NotificationId = Annotated[str, Meta(max_length=limits.ID_LENGTH)]
Time = Annotated[str, Meta(max_length=limits.TIME_LENGTH)]
EmailAddress = Annotated[
    str, Meta(min_length=limits.EMAIL_LEAST, max_length=limits.EMAIL_LENGTH, pattern=limits.EMAIL)
]
EmailText = Annotated[str, Meta(max_length=limits.EMAIL_LENGTH)]
"""An e-mail address that is only compared or recorded, in any form."""

Handle = Annotated[str, Meta(pattern=limits.HANDLE)]
AccountReference = Annotated[str, Meta(pattern=limits.ACCOUNT_REFERENCE)]
"""The id of an account, or its handle after an @."""

TokenText = Annotated[str, Meta(min_length=1, max_length=limits.TOKEN_LENGTH)]
Code = Annotated[str, Meta(min_length=limits.CODE_LEAST, max_length=limits.CODE_LENGTH)]
Password = Annotated[str, Meta(min_length=limits.PASSWORD_LEAST, max_length=limits.PASSWORD_LENGTH)]
"""A new password."""

PasswordText = Annotated[str, Meta(max_length=limits.PASSWORD_LENGTH)]
"""A password that is only compared with the account's."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Input(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A body that a caller sends; unknown fields are refused."""


class NoInput(Input):
    """Nothing beyond the target."""

"""The names under which each field of a model may be given."""

from collections.abc import Mapping

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo


def keys_of(model: type[BaseModel]) -> Mapping[str, list[str]]:
    """Give, for each field of a model, the keys under which it may stand: its name and its aliases."""
    return {name: [name, *_aliases(field)] for name, field in model.model_fields.items()}


def _aliases(field: FieldInfo) -> list[str]:
    validation = field.validation_alias
    choices = validation.choices if isinstance(validation, AliasChoices) else [field.alias, validation]
    return [alias for alias in choices if isinstance(alias, str)]

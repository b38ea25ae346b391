"""Contract: one typed boundary. What crosses it is validated, whole, and can be written as JSON and read back."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from typing_extensions import TypeVar

from crux_langgraph._contract._annotations import is_marked
from crux_langgraph._contract._endless import ITSELF, EndlessError, refuse_endless
from crux_langgraph._contract._hiding import Hidden, hidden_in
from crux_langgraph._contract._json_values import places_of
from crux_langgraph._contract._rebuilding import rebuilt
from crux_langgraph._contract.telling import ROOT, problem_of, problems_of
from crux_langgraph.errors import FieldProblem
from crux_langgraph.fields import LEAVE_OUT_KEY, MASK, MASK_KEY

M = TypeVar("M", bound=BaseModel)

_JSON_TEXTS = (str, bytes)
_ANYTHING = TypeAdapter[Any](Any)
_CIRCULAR = "Circular reference detected"  # pydantic-core's serializer has no exception of its own for it
_TOO_DEEP = FieldProblem(ROOT, "nesting that JSON readers follow (200 levels)", "deeper nesting")


class ViolationError(Exception):
    """A value does not fit a contract. The handoff that asked turns it into its own error."""

    def __init__(self, problems: list[FieldProblem], original: BaseException | None = None) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
        self.original = original


class Contract(Generic[M]):
    """What one side of a handoff must be: checks values against a pydantic model and writes and reads them as JSON."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self._adapter = TypeAdapter(model)  # its validator and serializer are asked themselves, which is twice as fast
        self.hidden: Hidden = hidden_in(self._adapter.core_schema)
        self.private: frozenset[str] = self.hidden.names
        self.marked: bool = is_marked(model)
        """Some field says by `Pin()` or `Omit()` what its text must keep or leave out."""
        self._places = places_of(model)

    def check(self, value: object) -> M:
        """Give `value` (a model, a mapping or JSON text) as a valid instance, validated anew at every depth.

        An instance is dumped and validated again, so one that `model_construct` or a mutation made invalid is caught;
        validators run again, and a subclass instance crosses as the declared type. Raises `ViolationError`.
        """
        try:
            self._refuse_unfit(value)
            checked = self._validate(value)
            self._refuse_non_json(checked)
            self._refuse_too_deep(checked)
        except ViolationError:
            raise
        except EndlessError as error:
            raise ViolationError([problem_of(error.fault, self.private)], error) from None
        except ValidationError as error:
            raise ViolationError(problems_of(error, self.private), error) from None
        except Exception as error:  # noqa: BLE001 - a model's own code may raise anything; all of it is this violation
            raise ViolationError([_raised(error)], error) from None
        return checked

    def _refuse_unfit(self, value: object) -> None:
        """Refuse what pydantic would take endless time for, or turn into JSON that it is not."""
        if not isinstance(value, self.model):
            refuse_endless(value)
        elif self._places.nests or self._places.holds_any:  # others are as deep as they are declared
            refuse_endless(value)
            if self._places.holds_any:
                self._refuse_non_json(value)

    def _validate(self, value: object) -> M:
        if type(value) is not dict:  # nearly all are an instance or a dict; what a dict is not is asked for long
            if isinstance(value, _JSON_TEXTS):
                return cast("M", self._adapter.validator.validate_json(value, by_alias=True, by_name=True))
            if isinstance(value, self.model):
                return self._validate_instance(value)
            if isinstance(value, BaseModel):
                # With from_attributes this takes instances inside on trust, so its result is validated as one.
                return self._validate_instance(self._adapter.validator.validate_python(value))
        # Instances inside a mapping become mappings, so that they are validated too and not taken on trust.
        plain = _ANYTHING.serializer.to_python(value, round_trip=True, by_alias=False, warnings="none")
        valid: M = self._adapter.validator.validate_python(plain, by_alias=True, by_name=True)
        return valid

    def _validate_instance(self, value: M) -> M:
        if self._places.blurs:
            return cast("M", rebuilt(value, self.model))
        dumped = self._adapter.serializer.to_python(value, round_trip=True, by_alias=False, warnings="none")
        valid: M = self._adapter.validator.validate_python(dumped, by_alias=False, by_name=True)
        return valid

    def _refuse_non_json(self, value: object) -> None:
        found = self._places.guard(value) if self._places.guard else None
        if found is not None:
            raise ViolationError([problem_of(found, self.private)])

    def _refuse_too_deep(self, checked: M) -> None:
        if not self._places.nests:
            return
        try:
            from_json(self.text(checked))
        except ValueError:
            raise ViolationError([_TOO_DEEP]) from None

    def dump(self, data: M) -> Any:
        """Write valid data as JSON values, private fields included. Raises `ViolationError` if a serializer raises."""
        return self._write(self._adapter.serializer.to_python, data, mode="json")

    def recorded(self, data: M) -> Any:
        """Write what `dump` writes, without the fields that stay out of the state."""
        if not self.hidden.leaves_out:
            return self.dump(data)
        gone = f"{MASK} {id(self)}"
        dumped = self._write(self._adapter.serializer.to_python, data, mode="json", context={LEAVE_OUT_KEY: gone})
        return without(dumped, gone)

    def text(self, data: M) -> str:
        """Write what `dump` writes, as compact JSON text."""
        return to_json(self.dump(data)).decode()

    def shown(self, data: M) -> Any:
        """Write JSON values in which private values are replaced by a mask."""
        # To look at, with nothing to hide: no value is refused for another's type, which takes as long as the rest.
        warnings = "error" if self.private else False
        write = self._adapter.serializer.to_python
        return self._write(write, data, warnings, mode="json", context={MASK_KEY: MASK})

    def text_shown(self, data: M) -> str:
        """Write JSON text in which private values are replaced by a mask."""
        text: bytes = self._write(self._adapter.serializer.to_json, data, context={MASK_KEY: MASK})
        return text.decode()

    def text_rendered(self, data: M) -> str:
        """Write indented JSON text from which private values are left out."""
        if not self.private:
            text: bytes = self._write(self._adapter.serializer.to_json, data, indent=2)
            return text.decode()
        marked, mark = self.marked_private(data)
        return to_json(without(marked, mark), indent=2).decode()

    def marked_private(self, data: M) -> tuple[Any, str]:
        """Write JSON values with a mark in place of what is private, and give the mark."""
        mark = f"{MASK} {id(self)}"
        return self._write(self._adapter.serializer.to_python, data, mode="json", context={MASK_KEY: mark}), mark

    @staticmethod
    def _write(write: Callable[..., Any], data: M, warnings: Any = "error", **options: Any) -> Any:
        try:
            return write(data, round_trip=True, by_alias=False, warnings=warnings, **options)
        except ValueError as error:
            raise ViolationError([_raised(error)], error) from None

    def load(self, dumped: Any) -> M:
        """Read back what `recorded` wrote. Raises `ViolationError` when it no longer fits the model."""
        try:
            return cast("M", self._adapter.validator.validate_json(to_json(dumped), by_alias=False, by_name=True))
        except ValidationError as error:
            raise ViolationError(problems_of(error, self.private), error) from None
        except Exception as error:  # noqa: BLE001 - as in check: a model's own code may raise anything
            raise ViolationError([_raised(error)], error) from None


def _raised(error: Exception) -> FieldProblem:
    if isinstance(error, RecursionError) or str(error).startswith(_CIRCULAR):
        return FieldProblem(ROOT, *ITSELF[1:])
    return FieldProblem(ROOT, "validators and serializers that raise ValueError or nothing", type(error).__name__)


def without(value: Any, mark: str) -> Any:
    """Give JSON values without what is marked."""
    if isinstance(value, dict):
        kept = cast("Mapping[str, Any]", value).items()
        return {key: without(item, mark) for key, item in kept if mark not in (key, item)}
    if isinstance(value, list):
        return [without(item, mark) for item in cast("list[Any]", value) if item != mark]
    return value

"""A language model that is asked over the network, through pydantic-ai's direct request: no agent, no tools."""

from __future__ import annotations

import json
from concurrent.futures import CancelledError
from typing import Any

from codex_kb.errors import ModelError
from codex_kb.language import background, faults, retry
from codex_kb.language.doors import Door
from codex_kb.records import Answer, Prompt

#: What a service may reject of a request that it would answer without, and how it names it.
_OPTIONAL = {
    "temperature": ("temperature",),
    "thinking": ("reasoning", "thinking"),
    "schema": ("response_format", "json_schema", "output_format"),
}
#: What is asked for in place of a schema: any JSON. Its rejection reads like the schema's.
_JSON = "json"
#: llama.cpp's server says 500 of what it does not know.
_REJECTED = (400, 422, 500)


class HostedModel:
    """A model behind a door. May be asked from several threads."""

    at_once = 0

    def __init__(self, door: Door, *, timeout: float = 0.0, attempts: int = 5) -> None:
        """`timeout` is seconds for one try, 0 for the door's own; `attempts` is how often a question is tried."""
        background.allow()
        self._door = door
        self._timeout = timeout or door.timeout
        self._attempts = attempts
        self._rejected: set[str] = set()
        self.name = door.name
        self.context_tokens = door.context_tokens

    def ask(self, prompt: Prompt) -> Answer:
        """One answer; its text is not checked.

        Raises:
            ModelError: refused, cut off, or out of reach; what was paid is in it.
        """
        question = retry.repeated(
            lambda: self._request(prompt), lambda error: faults.read(error, self._door), self._attempts
        )
        try:
            response = background.run(question)
        except CancelledError:
            response = None
        if response is None:
            raise ModelError("unavailable", "the question was stopped")
        return self._answer(response, prompt)

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for so many tokens, None where the price is not known; 0 for a model that runs here."""
        if self._door.free or not self._door.listed:
            return 0.0 if self._door.free else None
        from genai_prices import Usage, calc_price  # noqa: PLC0415

        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        name = self.name.partition(":")[2]
        try:
            return float(calc_price(usage, name, provider_id=self._door.listed).total_price)
        except LookupError:
            return None

    async def _request(self, prompt: Prompt) -> Any:
        """One try; again at once where the service only rejects what can be left out."""
        from pydantic_ai.direct import model_request  # noqa: PLC0415
        from pydantic_ai.exceptions import ModelHTTPError  # noqa: PLC0415
        from pydantic_ai.settings import ModelSettings  # noqa: PLC0415

        while True:
            left_out = set(self._rejected)
            messages, parameters = self._question(prompt, left_out)
            settings = ModelSettings(
                max_tokens=prompt.max_tokens, max_retries=0, timeout=self._timeout, request_timeout=self._timeout
            )
            if "thinking" not in left_out:
                # What a model thinks unseen is paid for and counts as answer: long, it would cut the answer off.
                settings["thinking"] = False
            if "temperature" not in left_out:
                settings["temperature"] = 0.0
            try:
                return await model_request(
                    self._door.model, messages, model_settings=settings, model_request_parameters=parameters
                )
            except ModelHTTPError as error:
                words = faults.said(error, self._door) if error.status_code in _REJECTED else ""
                more = {option for option, names in _OPTIONAL.items() if any(name in words for name in names)}
                if "schema" in more & left_out:
                    more.add(_JSON)
                if not more - left_out:
                    raise
                self._rejected |= more

    def _question(self, prompt: Prompt, left_out: set[str]) -> tuple[list[Any], Any]:
        """Messages and the form of the answer: by the schema where the service can, else JSON, told of the schema."""
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart  # noqa: PLC0415
        from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415
        from pydantic_ai.output import OutputObjectDefinition  # noqa: PLC0415

        system = prompt.system
        parameters = ModelRequestParameters()
        if _JSON not in left_out:
            native = "schema" not in left_out and self._door.model.profile.get("supports_json_schema_output", False)
            parameters = ModelRequestParameters(
                output_mode="native" if native else "prompted",
                output_object=OutputObjectDefinition(json_schema=dict(prompt.schema), name="answer"),
            )
        else:
            system += f"\n\nAnswer with JSON only, which fits this schema:\n{json.dumps(prompt.schema)}"
        request = ModelRequest(parts=[SystemPromptPart(content=system), UserPromptPart(content=prompt.user)])
        return [request], parameters

    def _answer(self, response: Any, prompt: Prompt) -> Answer:
        tokens = (response.usage.input_tokens, response.usage.output_tokens)
        if response.finish_reason == "content_filter":
            raise ModelError("refusal", "the model refuses to answer", tokens=tokens)
        if response.finish_reason == "length":
            raise ModelError("truncated", f"the answer is longer than {prompt.max_tokens} tokens", tokens=tokens)
        text = "".join(part.content for part in response.parts if part.part_kind == "text")
        if not text.strip():
            raise ModelError("invalid", "the answer is empty", tokens=tokens)
        return Answer(text, *tokens, self.price(*tokens))

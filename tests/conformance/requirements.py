"""The manifest: what the specification asks of a server on one pipe, and for which of its dates.

No entry without a test and no test without an entry: `test_manifest.py` sees to it. What concerns HTTP alone is not
here. `section` counts in the design's protocol page, `page` in the specification.
"""

from __future__ import annotations

from typing import Final

from tests.conformance.requirement import Requirement

MODERN: Final = ("2026-07-28",)
LEGACY: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
EVERY: Final = LEGACY + MODERN
FIRST: Final = ("2024-11-05",)
BATCHES: Final = ("2025-03-26",)
NO_BATCHES: Final = ("2024-11-05", "2025-06-18", "2025-11-25")
SINCE_MARCH: Final = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
BEFORE_JUNE: Final = ("2024-11-05", "2025-03-26")
SINCE_JUNE: Final = ("2025-06-18", "2025-11-25", "2026-07-28")
JUNE: Final = ("2025-06-18",)
JUNE_AND_NOVEMBER: Final = ("2025-06-18", "2025-11-25")
BEFORE_NOVEMBER: Final = ("2024-11-05", "2025-03-26", "2025-06-18")
NOVEMBER: Final = ("2025-11-25",)
SINCE_NOVEMBER: Final = ("2025-11-25", "2026-07-28")

Row = tuple[str, tuple[str, ...], str]


def _page(section: str, page: str, *rows: Row) -> tuple[Requirement, ...]:
    return tuple(Requirement(name, revisions, section, page, text) for name, revisions, text in rows)


_ENVELOPE: Final = _page(
    "5",
    "basic",
    ("envelope.bad-json", EVERY, "A line that is no JSON is answered -32700 with a null id, and the pipe lives on."),
    ("envelope.not-an-object", EVERY, "A JSON value that is no message is answered -32600."),
    ("envelope.version", EVERY, "Another `jsonrpc` than 2.0 is answered -32600 under the request's id."),
    ("envelope.method-missing", EVERY, "A frame with an id and no method is answered -32600 under its id."),
    ("envelope.method-type", EVERY, "A method that is no text is answered -32600 under the request's id."),
    ("envelope.params-type", EVERY, "Params that are no object are refused under the request's id."),
    (
        "envelope.duplicate-member",
        EVERY,
        "A message that names a member twice is refused, not read one way or another.",
    ),
    ("envelope.too-deep", EVERY, "A message nested too deep is refused, and the pipe lives on."),
    ("envelope.too-long", EVERY, "A line that is too long is refused under its id, and the pipe lives on."),
    ("envelope.both", EVERY, "A message that is request and response at once is refused."),
    ("envelope.notification-silent", EVERY, "A notification, known or not, is never answered."),
    ("envelope.response-unasked", EVERY, "A response to no question is ignored."),
    ("envelope.strangers", EVERY, "Unknown members of the envelope are ignored."),
    ("id.echo", EVERY, "Texts and integers serve as ids, and come back as they were sent."),
    ("id.null", EVERY, "A request with the id null is answered -32600; it is no notification."),
    ("id.fraction", EVERY, "An id with a fraction is answered -32600."),
    ("id.boolean", EVERY, "A truth value as id is answered -32600; it is not taken for 1."),
    ("id.distinct-types", EVERY, 'The ids 1 and "1" are two ids.'),
    ("id.in-flight-twice", EVERY, "A second request with the id of one in flight is answered -32600, and not run."),
    ("id.reuse", EVERY, "An id may be used again once its request is answered; a strict client never does."),
)

_BATCH: Final = _page(
    "5",
    "basic",
    ("batch.answered", BATCHES, "A batch is answered by one array with an answer to each of its requests."),
    ("batch.refused", NO_BATCHES, "An array is answered -32600 where the revision has no batches, and not run."),
    ("batch.refused-modern", MODERN, "An array is answered -32600 at 2026-07-28, and not run."),
    ("batch.enveloped-member", BATCHES, "A 2026-07-28 request inside a batch is refused: that revision has none."),
    ("batch.empty", BATCHES, "An empty batch is answered by one -32600."),
    ("batch.notifications-only", BATCHES, "A batch of notifications is not answered."),
    ("batch.mixed-invalid", BATCHES, "Each invalid member of a batch has its own -32600 in the array."),
    ("batch.initialize", BATCHES, "`initialize` in a batch is refused."),
    ("batch.before-initialize", BATCHES, "A batch before `initialize` is refused."),
    ("batch.cancelled-member", BATCHES, "A cancelled member is left out; the others are answered."),
    ("batch.cancelled-wholly", BATCHES, "A batch whose every request was cancelled is not answered."),
    ("batch.duplicate-ids", BATCHES, "Two members with one id: the first runs, the second is refused."),
    ("batch.too-many", BATCHES, "A batch of too many messages is refused as a whole."),
)

_LIFECYCLE: Final = _page(
    "6.1",
    "basic/lifecycle",
    ("initialize.version-echoed", LEGACY, "A version the server serves is the version of the session."),
    (
        "initialize.version-unknown",
        NOVEMBER,
        "An unknown version is answered with the newest legacy one, no error.",
    ),
    ("initialize.version-modern", NOVEMBER, "`initialize` with 2026-07-28 settles on the newest legacy version."),
    ("initialize.version-type", LEGACY, "A version that is missing or no text is answered -32602, and can be mended."),
    ("initialize.capabilities-type", LEGACY, "Capabilities that are no object are answered -32602."),
    ("initialize.result", LEGACY, "The result names capabilities, server and instructions as the revision knows them."),
    ("initialize.server-info", LEGACY, "`serverInfo` holds what the revision knows of an Implementation, no more."),
    ("initialize.completions", SINCE_MARCH[:-1], "The completions capability is declared when something is completed."),
    ("initialize.twice", LEGACY, "A second `initialize` is answered -32600, and the session stays as it was."),
    ("initialize.not-cancellable", LEGACY, "`initialize` cannot be cancelled."),
    ("initialize.before", LEGACY, "A request before `initialize` is refused -32600 with what to send first."),
    ("initialize.unknown-before", LEGACY, "An unknown method before `initialize` is -32601, and the server lives on."),
    ("initialize.served-before-initialized", LEGACY, "Between the answer and `initialized`, requests are served."),
    ("initialized.no-questions-before", JUNE_AND_NOVEMBER, "No request goes to the client before `initialized`."),
    ("initialized.no-news-before", LEGACY, "No list_changed goes to the client before `initialized`."),
    ("ping.before-initialize", LEGACY, "`ping` is answered before `initialize`."),
    ("ping.after", LEGACY, "`ping` is answered with an empty result."),
    ("ping.during-calls", LEGACY, "`ping` is answered while tools run."),
)

_VERSIONING: Final = _page(
    "12.2",
    "basic/versioning",
    ("era.discover-then-initialize", LEGACY, "A pipe that was probed with `server/discover` still shakes hands."),
    ("era.initialize-then-enveloped", LEGACY, "An enveloped request on a pipe with a session is served as modern."),
    ("era.alternating", LEGACY, "Two eras alternate on one pipe; each answer is in the era of its request."),
    ("era.calls-at-once", LEGACY, "Calls of both eras run at once on one pipe."),
    ("era.discover-without-envelope", LEGACY, "`server/discover` without an envelope is an unknown method."),
    ("era.legacy-methods-enveloped", MODERN, "Methods that 2026-07-28 dropped are -32601 when enveloped."),
    ("era.initialize-enveloped", MODERN, "An enveloped `initialize` is -32601 and opens no session."),
    ("era.listen-in-session", LEGACY, "`subscriptions/listen` without an envelope is an unknown method."),
    ("era.tasks", EVERY, "The methods of the tasks that are not offered are -32601."),
    ("era.no-memory", MODERN, "What one request declared is not known to the next."),
)

_DISCOVER: Final = _page(
    "6.2",
    "server/discover",
    ("discover.result", MODERN, "`server/discover` tells versions, capabilities and instructions."),
    ("discover.versions", MODERN, "Only modern versions are listed, and each one listed is served."),
    ("discover.server-info", MODERN, "The server's name is in `_meta`, not in the body."),
)

_META: Final = _page(
    "6.2",
    "basic",
    ("meta.missing-version", MODERN, "A missing protocolVersion is -32602, and the message names the key."),
    ("meta.missing-capabilities", MODERN, "Missing clientCapabilities are -32602, and the message names the key."),
    ("meta.version-type", MODERN, "A protocolVersion that is no text is -32602."),
    ("meta.capabilities-type", MODERN, "clientCapabilities that are no object are -32602."),
    ("meta.client-info-absent", MODERN, "A request without clientInfo is served."),
    ("meta.client-info-type", MODERN, "A clientInfo that is no Implementation is -32602."),
    ("meta.log-level", MODERN, "A logLevel that is none of the eight is -32602."),
    ("meta.progress-token", EVERY, "A progress token that is neither text nor integer is -32602."),
    ("meta.trace-context", MODERN, "Trace context is accepted; a malformed one is dropped, not refused."),
    ("meta.version-unsupported", MODERN, "An unknown version is -32022 with `supported` and `requested`."),
    ("meta.version-before-method", MODERN, "An unknown version is told before an unknown method."),
    ("meta.method-before-params", EVERY, "An unknown method is told before its parameters are looked at."),
    ("result.type", MODERN, "Every result says its `resultType`."),
    ("result.server-info", MODERN, "Every result names the server in `_meta`."),
    ("result.legacy-plain", LEGACY, "No result carries members of 2026-07-28."),
)

_TOOLS_LIST: Final = _page(
    "13",
    "server/tools",
    ("tools.list.entries", EVERY, "Every tool has a name, a description and an input schema of type object."),
    ("tools.list.order", EVERY, "The order of the list is the same each time, and that of registration."),
    ("tools.list.permitted-only", EVERY, "A tool the caller can never be permitted is not listed."),
    ("tools.list.profile-filter", EVERY, "A tool the profile does not show is neither listed nor callable."),
    ("tools.list.schema-verbatim", MODERN, "An input schema is listed as it was written, every keyword of 2020-12."),
    ("tools.list.output-schema-any", MODERN, "An output schema of any root is listed as it is."),
    ("tools.list.output-schema-wrapped", JUNE_AND_NOVEMBER, "An output schema of no object is wrapped in `result`."),
    ("tools.list.output-schema-object", SINCE_JUNE, "An output schema of an object is listed as it is."),
    ("tools.list.output-schema-absent", BEFORE_JUNE, "Revisions without structured output list no output schema."),
    ("tools.list.title", SINCE_JUNE, "A title is listed."),
    ("tools.list.no-title", BEFORE_JUNE, "Revisions without titles list none."),
    ("tools.list.annotations", SINCE_MARCH, "Annotations are listed."),
    ("tools.list.no-annotations", FIRST, "2024-11-05 lists no annotations."),
    ("tools.list.icons", SINCE_NOVEMBER, "Icons are listed."),
    ("tools.list.no-icons", BEFORE_NOVEMBER, "Revisions without icons list none."),
    ("tools.list.meta", SINCE_JUNE, "A tool's `_meta` is listed."),
    ("tools.list.no-meta", BEFORE_JUNE, "Revisions in which a tool has no `_meta` list none."),
)

_PAGES: Final = _page(
    "14",
    "server/utilities/pagination",
    ("pages.whole", EVERY, "The pages together hold every entry once, in order; the last has no cursor."),
    ("pages.opaque", EVERY, "A cursor is text that tells nothing and cannot be made up."),
    ("pages.invalid", EVERY, "A cursor that was not issued is -32602, on all four lists."),
    ("pages.empty-cursor", EVERY, "The empty text is a cursor, and none that was issued."),
    ("pages.other-list", EVERY, "A cursor of one list is -32602 on another."),
    ("pages.after-change", EVERY, "A cursor of a list that has changed is -32602."),
    ("pages.after-reload", EVERY, "A cursor from before a change of rights is -32602."),
    ("pages.other-client", EVERY, "A cursor of one client is -32602 for another."),
)

_TOOLS_CALL: Final = _page(
    "13",
    "server/tools",
    ("tools.call.text", EVERY, "A text result is one text block."),
    ("tools.call.sync", EVERY, "A handler that blocks is answered like any other."),
    ("tools.call.no-arguments", EVERY, "`arguments` may be left out."),
    ("tools.call.structured", SINCE_JUNE, "Structured content is sent, and its JSON in a text block."),
    ("tools.call.structured-absent", BEFORE_JUNE, "Revisions without structured content get its JSON as text."),
    ("tools.call.structured-any", MODERN, "Structured content may be any JSON value, null included."),
    ("tools.call.structured-wrapped", JUNE_AND_NOVEMBER, "What is no object is wrapped in `result`, as advertised."),
    ("tools.call.output-checked", EVERY, "A result that does not fit its own output schema is not sent; it is masked."),
    ("tools.call.content-whole", SINCE_JUNE, "All five kinds of content block are sent as they are."),
    ("tools.call.content-march", BATCHES, "2025-03-26 gets sound, and a resource link as text."),
    ("tools.call.content-first", FIRST, "2024-11-05 gets sound as an embedded resource, and a resource link as text."),
    ("tools.call.block-annotations", EVERY, "Annotations of blocks hold what the revision knows."),
    ("tools.call.block-meta", SINCE_JUNE, "Blocks carry `_meta`."),
    ("tools.call.no-block-meta", BEFORE_JUNE, "Blocks carry no `_meta` where the revision has none."),
    ("tools.call.removed-meanwhile", EVERY, "A tool that is withdrawn while it runs is answered with its result."),
)

_TOOL_ERRORS: Final = _page(
    "5.2",
    "server/tools",
    ("tools.error.unknown", EVERY, "An unknown tool is -32602, not a result."),
    ("tools.error.hidden", EVERY, "A tool the caller may not use is answered byte for byte like an unknown one."),
    ("tools.error.no-name", EVERY, "A call without a name is -32602."),
    ("tools.error.arguments-type", EVERY, "Arguments that are no object are -32602."),
    ("tools.error.invalid-arguments", EVERY, "Arguments against the schema are a result with isError that says what."),
    ("tools.error.unknown-argument", EVERY, "An unknown argument is a result with isError that suggests a name."),
    ("tools.error.said", EVERY, "A handler's own error is a result with isError and its words."),
    ("tools.error.masked", EVERY, "Any other exception is masked, with an id that log and audit know."),
    ("tools.error.cancelled-inside", EVERY, "A handler whose own wait was cancelled has failed; others go on."),
    ("tools.error.cancels-itself", EVERY, "A handler that cancels its own task has failed; others go on."),
    ("tools.error.exit", EVERY, "A handler that wants to end the process only fails its call."),
    ("tools.error.own-result", EVERY, "A handler's own error result arrives as it is."),
)

_RESOURCES: Final = _page(
    "14",
    "server/resources",
    ("resources.list", EVERY, "Resources are listed with uri and name, without templates."),
    ("resources.list.fields", EVERY, "An entry holds what the revision knows of a resource."),
    ("resources.list.permitted-only", EVERY, "A resource the caller can never be permitted is not listed."),
    ("resources.templates", EVERY, "Templates are listed apart, with what the revision knows of them."),
    ("resources.read.text", EVERY, "Reading gives contents with uri, mimeType and text."),
    ("resources.read.several", EVERY, "Reading may give several parts, text and base64."),
    ("resources.read.template", EVERY, "A URI of a template is read."),
    ("resources.read.unknown-legacy", LEGACY, "An unknown resource is -32002 with the uri."),
    ("resources.read.unknown-modern", MODERN, "An unknown resource is -32602 with `data.uri`, never -32002."),
    ("resources.read.nothing-there", EVERY, "A template whose handler finds nothing is a missing resource, not empty."),
    ("resources.read.hidden", EVERY, "A resource the caller may not know of is answered like an unknown one."),
    ("resources.read.no-uri", EVERY, "A read without a uri is -32602."),
    ("resources.read.traversal", EVERY, "A template's variable cannot climb out of the client's folder."),
    ("resources.subscribe", LEGACY, "After subscribing, an update is told."),
    ("resources.subscribe.only-it", LEGACY, "Updates of other resources are not told."),
    ("resources.unsubscribe", LEGACY, "After unsubscribing, nothing is told; unsubscribing twice is no error."),
    ("resources.subscribe.unknown", LEGACY, "Subscribing to an unknown resource is -32002."),
    ("resources.subscribe.hidden", LEGACY, "Subscribing to a hidden resource is answered like to an unknown one."),
    ("resources.subscribe.rights-now", LEGACY, "An update is not told once the right to read is gone."),
    ("resources.subscribe.modern", MODERN, "Without a subscription, nothing is told."),
)

_PROMPTS: Final = _page(
    "14",
    "server/prompts",
    ("prompts.list", EVERY, "Prompts are listed with their arguments."),
    ("prompts.list.fields", EVERY, "An entry holds what the revision knows of a prompt."),
    ("prompts.list.permitted-only", EVERY, "A prompt the caller can never be permitted is not listed."),
    ("prompts.get", EVERY, "Getting a prompt gives messages with roles."),
    ("prompts.get.default", EVERY, "An optional argument may be left out."),
    ("prompts.get.unknown", EVERY, "An unknown prompt is -32602."),
    ("prompts.get.hidden", EVERY, "A prompt the caller may not use is answered like an unknown one."),
    ("prompts.get.missing-argument", EVERY, "A missing required argument is -32602 and named."),
    ("prompts.get.unknown-argument", EVERY, "An unknown argument is -32602."),
    ("prompts.get.argument-type", EVERY, "An argument that is no text is -32602."),
    ("prompts.get.content", EVERY, "Blocks of messages are those the revision knows."),
    ("prompts.get.masked", EVERY, "A bug of a prompt is -32603 with an error id and without its words."),
)

_COMPLETION: Final = _page(
    "14",
    "server/utilities/completion",
    ("completion.prompt", EVERY, "An argument of a prompt is completed."),
    ("completion.template", EVERY, "A variable of a resource template is completed."),
    ("completion.hundred", EVERY, "At most 100 values are sent, with the total and whether there are more."),
    ("completion.context", SINCE_JUNE, "The other arguments reach the completer."),
    ("completion.no-context", BEFORE_JUNE, "Revisions without a context ignore one."),
    ("completion.nobody", EVERY, "An argument nobody completes has no values."),
    ("completion.unknown-ref", EVERY, "An unknown prompt is -32602."),
    ("completion.hidden-ref", EVERY, "A hidden prompt is answered like an unknown one."),
    ("completion.bad-shape", EVERY, "A malformed reference or argument is -32602."),
    ("completion.undeclared", EVERY, "Where nothing is completed, the capability is not declared and -32601 answers."),
)

_LOGGING: Final = _page(
    "14",
    "server/utilities/logging",
    ("logging.level", LEGACY, "After `logging/setLevel`, messages from that level on are sent."),
    ("logging.default", LEGACY, "Without a level, debug messages are not sent."),
    ("logging.level-invalid", LEGACY, "A level that is none of the eight is -32602 and changes nothing."),
    ("logging.per-request", MODERN, "A request's own logLevel decides which messages it hears."),
    ("logging.silent-without-level", MODERN, "A request without logLevel hears none, whatever others asked for."),
    ("logging.levels-apart", LEGACY, "A session's level does not reach modern requests on its pipe."),
    ("logging.logger", EVERY, "A message names its sender."),
    ("logging.after-answer", EVERY, "A handler's late message is not sent after its answer."),
    ("logging.declared", EVERY, "The logging capability is declared."),
)

_PROGRESS: Final = _page(
    "14",
    "basic/utilities/progress",
    ("progress.token", EVERY, "Progress is sent under the token of the request, text or integer, before its answer."),
    ("progress.no-token", EVERY, "Without a token, no progress is sent."),
    ("progress.increasing", EVERY, "Values that do not grow are not sent."),
    ("progress.message", SINCE_MARCH, "A message is sent along."),
    ("progress.no-message", FIRST, "2024-11-05 gets progress without words."),
    ("progress.after-answer", EVERY, "Nothing is sent after the answer."),
    ("progress.from-thread", EVERY, "A handler in a thread reports in order, and before its answer."),
    ("progress.heartbeat", EVERY, "A long call with a token gives a sign of life after 5 s and then every 15 s."),
    ("progress.no-heartbeat", EVERY, "A long call without a token gives none."),
    ("progress.heartbeat-grows", EVERY, "A sign of life continues the handler's own values."),
)

_CANCELLATION: Final = _page(
    "7",
    "basic/utilities/cancellation",
    ("cancel.running", EVERY, "A cancelled request is stopped and not answered."),
    ("cancel.at-once", EVERY, "A cancellation that comes before the request has begun holds, and leaves nothing."),
    ("cancel.waiting", EVERY, "A request that waits for its turn can be cancelled, and never begins."),
    ("cancel.unknown", EVERY, "The cancellation of an unknown or finished request is ignored."),
    ("cancel.malformed", EVERY, "A malformed cancellation is ignored."),
    ("cancel.stubborn", EVERY, "A handler that ignores its cancellation says nothing more to the client."),
    ("cancel.id-free", EVERY, "The id of a cancelled request is free again."),
    ("cancel.recorded", EVERY, "A cancelled call has its outcome in the audit."),
    ("cancel.question", JUNE_AND_NOVEMBER, "A cancelled call takes back the question it put to the client."),
    ("close.grace", EVERY, "Within the grace, what runs and what waits is answered."),
    ("close.ends-calls", EVERY, "The end of the pipe ends what runs, and begins nothing that waited."),
)

_QUESTIONS_LEGACY: Final = _page(
    "18",
    "client/elicitation",
    ("elicit.legacy.accept", JUNE_AND_NOVEMBER, "A handler's form is a request to the client within its call."),
    ("elicit.legacy.decline", JUNE_AND_NOVEMBER, "A declined form reaches the handler as such."),
    ("elicit.legacy.cancel", JUNE_AND_NOVEMBER, "A dismissed form reaches the handler as such."),
    ("elicit.legacy.error", JUNE_AND_NOVEMBER, "A client's error answer fails the call with a readable result."),
    (
        "elicit.legacy.bad-content",
        JUNE_AND_NOVEMBER,
        "An answer that does not fit the form fails the call.",
    ),
    ("elicit.legacy.undeclared", JUNE_AND_NOVEMBER, "A client without the capability is not asked."),
    ("elicit.legacy.unknown", BEFORE_JUNE, "Revisions without elicitation never ask, whatever the client declares."),
    ("elicit.legacy.empty-is-form", NOVEMBER, "An empty declaration means forms, and no pages."),
    ("elicit.legacy.url-only", NOVEMBER, "A client that shows only pages is not sent forms."),
    ("elicit.legacy.url", NOVEMBER, "A page is asked for with an elicitationId, another one each time."),
    ("elicit.legacy.no-url", JUNE, "2025-06-18 is not asked to open pages."),
    ("elicit.legacy.plain-form", JUNE, "2025-06-18 gets choices with `enumNames` and no defaults."),
    ("elicit.legacy.rich-form", NOVEMBER, "2025-11-25 gets titled choices and defaults as they are."),
    ("elicit.legacy.unsayable", JUNE, "A form 2025-06-18 has no words for fails the call; it is not sent."),
    ("elicit.legacy.late", JUNE_AND_NOVEMBER, "A second answer to a question is ignored."),
)

_SAMPLING_LEGACY: Final = _page(
    "18",
    "client/sampling",
    ("sample.legacy", LEGACY, "A handler's question to the model is a request to the client."),
    ("sample.legacy.undeclared", LEGACY, "A client without the capability is not asked."),
    ("sample.legacy.error", LEGACY, "A client that refuses fails the call with a readable result."),
    ("sample.legacy.tools-undeclared", LEGACY, "Tools are not sent to a client that did not declare `sampling.tools`."),
    ("sample.legacy.tools", NOVEMBER, "Tools are sent to a client that declared `sampling.tools`."),
    ("roots.legacy", LEGACY, "A handler may ask for the client's roots."),
    ("roots.legacy.undeclared", LEGACY, "A client without the capability is not asked."),
    ("roots.legacy.nonsense", LEGACY, "A list of roots that is none fails the call."),
    ("questions.ids", LEGACY, "Questions have ids of their own; an equal-looking id of the client is no answer."),
)

_MRTR: Final = _page(
    "15",
    "basic/patterns/mrtr",
    ("mrtr.question", MODERN, "A handler's question travels in an `input_required` result, without an id."),
    ("mrtr.answer", MODERN, "The retried request with the answer is carried out."),
    ("mrtr.rounds", MODERN, "A handler may ask again; earlier answers are kept in the state."),
    ("mrtr.decline", MODERN, "A declined question reaches the handler as such."),
    ("mrtr.missing-answer", MODERN, "A retry without the answer is asked again."),
    ("mrtr.extra-answer", MODERN, "Answers to questions nobody asked are ignored."),
    ("mrtr.answer-without-state", MODERN, "Answers without the state are not believed; the question is put again."),
    ("mrtr.malformed-answer", MODERN, "inputResponses that are no object of objects are -32602."),
    ("mrtr.state-altered", MODERN, "A state with any bit flipped is -32602."),
    ("mrtr.state-other-params", MODERN, "A state with other parameters is -32602."),
    ("mrtr.state-other-method", MODERN, "A state of another method is -32602."),
    ("mrtr.state-other-principal", MODERN, "A state of another client is -32602."),
    ("mrtr.state-same-params", MODERN, "The same parameters in another order of members are the same."),
    ("mrtr.state-replayed", MODERN, "A state serves once."),
    ("mrtr.state-expired", MODERN, "A state that is too old is -32602."),
    ("mrtr.state-opaque", MODERN, "A state shows nothing of what it holds."),
    ("mrtr.state-type", MODERN, "A state that is no text is -32602."),
    ("mrtr.undeclared-form", MODERN, "A question the client cannot show is -32021 with the capability as an object."),
    ("mrtr.undeclared-sampling", MODERN, "So is a question to a model that the client does not lend."),
    ("mrtr.undeclared-sampling-tools", MODERN, "So are tools for a model that takes none."),
    ("mrtr.undeclared-roots", MODERN, "So is a question for roots."),
    ("mrtr.sampling", MODERN, "A question to the model travels in a result."),
    ("mrtr.roots", MODERN, "A question for roots travels in a result."),
    ("mrtr.roots-nonsense", MODERN, "A list of roots that is none is -32602."),
    ("mrtr.url", MODERN, "A page travels without an elicitationId."),
    ("mrtr.prompts", MODERN, "A prompt may ask."),
    ("mrtr.resources", MODERN, "A resource may ask."),
    ("mrtr.no-requests", MODERN, "No request is ever sent to the client."),
    ("mrtr.not-cacheable", MODERN, "A question carries no cache hints."),
)

_NEWS: Final = _page(
    "12.3",
    "server/tools",
    ("news.list-changed", LEGACY, "After `initialized`, changes of each list are told unasked."),
    ("news.capability", EVERY, "listChanged is declared for tools, prompts and resources."),
    ("news.after-reload", LEGACY, "A change of rights is told as a change of all lists."),
    ("news.modern-silent", MODERN, "Without a listener, nothing is told."),
)

_LISTEN: Final = _page(
    "16",
    "basic/utilities/subscriptions",
    ("listen.acknowledged", MODERN, "The first message of a subscription is its acknowledgement, with its id."),
    ("listen.subset", MODERN, "The acknowledgement names what was accepted, and only that."),
    ("listen.kinds", MODERN, "Only what was asked for is told, with the subscription's id."),
    ("listen.resources", MODERN, "Updates of the named resources are told, of no others."),
    ("listen.resources-hidden", MODERN, "Resources the caller may not read are left out, as are unknown ones."),
    ("listen.several", MODERN, "Several subscriptions hear apart, each under its own id."),
    ("listen.cancel", MODERN, "A cancelled subscription hears nothing more and gets no result."),
    ("listen.cancel-at-once", MODERN, "A subscription cancelled before it began leaves nothing."),
    ("listen.server-end", MODERN, "When the server ends it, the result is sent, with the subscription's id."),
    ("listen.malformed", MODERN, "A malformed filter is -32602."),
    ("listen.duplicate-id", MODERN, "The id of an open subscription is taken."),
    ("listen.limit", MODERN, "There is a bound to subscriptions; past it 4290 answers, and the others live on."),
    ("listen.no-slot", MODERN, "An open subscription takes no place from calls."),
    ("listen.waiting-calls", MODERN, "Calls that arrive with many subscriptions are not forgotten."),
    ("listen.in-session", LEGACY, "On a pipe with a session, the listener hears beside it, each in its own era."),
)

_CACHE: Final = _page(
    "17",
    "server/utilities/caching",
    ("cache.hints", MODERN, "Lists, reads and discovery carry `ttlMs` and `cacheScope`."),
    ("cache.private", MODERN, "What depends on the caller is private, on every page."),
    ("cache.not-on-calls", MODERN, "Results of calls carry none."),
)

_CODES: Final = _page(
    "5.1",
    "basic",
    ("code.unauthenticated", EVERY, "A client that a reload removed is answered 4010, for lists and for calls."),
    ("code.unauthenticated-ping", LEGACY, "It is still answered a ping."),
    ("code.forbidden-tool", EVERY, "A refused tool call is a result with isError, 4030 and what was missing."),
    ("code.forbidden", EVERY, "A refused prompt or resource is 4030 with what was missing."),
    ("code.consent-tool", EVERY, "A call that needs a human nobody can ask is a result with isError and 4031."),
    ("code.consent", EVERY, "A prompt or resource that needs a human nobody can ask is 4031."),
    ("code.consent-asked", SINCE_JUNE, "Where the client can, its human is asked, and a yes carries the call out."),
    ("code.consent-declined", SINCE_JUNE, "A no is 4031."),
    ("code.sandbox-tool", EVERY, "A path out of the folder is a result with isError and 4032."),
    ("code.sandbox", EVERY, "For prompts it is 4032."),
    ("code.limit-tool", EVERY, "Too many calls a minute are results with isError, 4290 and when to try again."),
    ("code.limit", EVERY, "For prompts and resources it is 4290."),
    ("code.timeout", EVERY, "A call past its deadline is stopped, with isError and 4290."),
    ("code.in-flight", EVERY, "More requests at once than can wait are 4290 at once."),
    ("code.unavailable", EVERY, "A permitted file that is not there is 5031."),
    ("code.audit", EVERY, "When the audit cannot be written, a call is 5030 and its handler does not run."),
    (
        "code.audit-before-effect",
        EVERY,
        "The intent is on record before the handler runs, the outcome before it is told.",
    ),
    ("code.reserved", EVERY, "No code of this library's own lies in JSON-RPC's or the protocol's ranges."),
)

REQUIREMENTS: Final = {
    entry.id: entry
    for chapter in (
        _ENVELOPE,
        _BATCH,
        _LIFECYCLE,
        _VERSIONING,
        _DISCOVER,
        _META,
        _TOOLS_LIST,
        _PAGES,
        _TOOLS_CALL,
        _TOOL_ERRORS,
        _RESOURCES,
        _PROMPTS,
        _COMPLETION,
        _LOGGING,
        _PROGRESS,
        _CANCELLATION,
        _QUESTIONS_LEGACY,
        _SAMPLING_LEGACY,
        _MRTR,
        _NEWS,
        _LISTEN,
        _CACHE,
        _CODES,
    )
    for entry in chapter
}

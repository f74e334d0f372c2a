"""Floor 1, the ground: errors, each where a caller would act differently. Knows nobody.

MCPServerError
├── ConfigurationError         the start stops; fix the file or the registration
│   └── AlreadyLockedError     another process has it; take another directory
├── ProtocolError              answered as a JSON-RPC error
├── AuthenticationError        nobody we know is calling
├── PermissionDeniedError      ask the operator for a grant
│   └── ConsentRequiredError   ask the human
├── SandboxViolationError      the call tried to leave its sandbox
├── ResourceUnavailableError   allowed, but missing, busy or of the wrong kind
├── UnknownNameError           no such tool, prompt or resource
├── InvalidArgumentsError      correct the arguments and call again
├── CapabilityMissingError     the client cannot ask, sample or tell roots
├── LimitExceededError         smaller, slower or later
├── OperationFailedError       a bug of the handler, masked; look the id up
├── AuditUnavailableError      nothing is done without evidence
└── ToolError                  a handler's own words to the model
InputRequiredSignal            control flow, not an error: a question travels to the client
"""

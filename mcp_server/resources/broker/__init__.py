"""A client's files in a process of their own, which the kernel keeps within the client's folders.

Two sides that do not trust each other: `BrokeredFiles` in the server, `Broker` in the process, and frames between them.
"""

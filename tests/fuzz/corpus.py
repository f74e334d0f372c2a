"""Good messages to spoil, and pieces that have spoilt parsers before."""

from __future__ import annotations

from typing import Final

MESSAGES: Final = (
    (
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":'
        b'{"listChanged":true},"sampling":{},"elicitation":{}},"clientInfo":{"name":"c","version":"1"}}}'
    ),
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
    b'{"jsonrpc":"2.0","id":"a-1","method":"tools/list","params":{"cursor":"AAAA"}}',
    (
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ech","arguments":{"text":"a \\"b\\": c\\\\"},'
        b'"_meta":{"progressToken":"p"}}}'
    ),
    (
        b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":'
        b'"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info"},'
        b'"name":"add","arguments":{"a":1,"b":-2.5e3}}}'
    ),
    (
        b'{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":'
        b'"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},'
        b'"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}}}}'
    ),
    b'{"jsonrpc":"2.0","id":4,"result":{"action":"accept","content":{"name":"x"}}}',
    b'{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no such method","data":{"a":[]}}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"bored"}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":0.5,"total":1}}',
    b'[{"jsonrpc":"2.0","id":6,"method":"ping"},{"jsonrpc":"2.0","method":"x"}]',
    b'{ "jsonrpc" : "2.0" ,\t"id" : 8 ,\r"method" : "ping" , "params" : { } }',
)

TOKENS: Final = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"\\",
    b'\\"',
    b"\\\\",
    b'":',
    b'"id":1,',
    b'"id" :"x",',
    b'"method":"m",',
    b'"result":{},',
    b'"params":[],',
    b'"jsonrpc":"2.0",',
    b'"a":1,"a":1',
    b'"\\u0061":1,"a":2',
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1.0",
    b"1e999",
    b"-1e-999",
    b"NaN",
    b"Infinity",
    b"9" * 20,
    b"9" * 5000,
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\\u0000",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xa8",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"../",
    b"/",
    b"*",
    b"**/",
    b"?",
    b"~",
    b".",
)

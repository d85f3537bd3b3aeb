"""An emulator of WeChat Pay (API v3) and Alipay for tests: the providers' side of the wire, their orders, refunds, callbacks
and statements, on loopback only. It shares no code with the box and knows nothing of it."""

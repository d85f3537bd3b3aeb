"""Alipay's open gateway with RSA2 and public keys, as a direct merchant meets it."""

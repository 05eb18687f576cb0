"""The embedded languages: sentences realised from shared meanings; see the README beside this."""

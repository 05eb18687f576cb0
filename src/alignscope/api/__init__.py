"""The verbs of the public interface, which ``import alignscope as al`` offers.

The command line is built on them, too. Modules that need torch are imported inside
functions, so that results can be read where torch is not installed.
"""

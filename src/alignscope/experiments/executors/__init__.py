"""Where runs are performed: in this process, or in several.

An executor is a function from runs and work to an iterator of what each run gave, in the order
in which they end. It knows nothing of stores, studies or screens.
"""

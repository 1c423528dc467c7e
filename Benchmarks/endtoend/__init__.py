"""Measures Cairn's command line from end to end: against limits and against peers.

Modules, lowest first: `processes` runs programs, `machine` says where, `servers` and `limits` start
a private mongod and the bare loops in C, `stage` is one data set with all that can be measured on
it, `rows` is the table of what is promised, `memory` its rows about memory, `campaign` measures the
table, `report` and `plots` write it down.
"""

"""The policy language and judgement, without database or HTTP. What is where:

a policy's values      policy
its grammar            reader; sections: facts, tiers, wallets, lanes, prices, rewards, budgets, levels, awards
examples               examples; example_files (in a file of their own)
what sections share    desk (values, names) → nodes (mappings, lists) → noting (problems); conditions,
                       presence, measures, values, names, keys, vocabulary
the text before that   files, source, repairs, punctuation
what is wrong with it  problems, catalogue (every sentence), explanations (an example of each), suggestions, synonyms,
                       titles, misspelt, codes; paths (a place in the file, spelled in Chinese)
a whole file checked   checking, unused, shadowed, unexercised
the grammar as data    grammar (its forms, and of what shapes they are made), schema_texts, schema_words (what it means)
a file changed         formatting, conversion (into the other tongue), numbers (in Excel and back), comparison (of two)
for editors            schema, schema_leaves
judgement              compiler → alternatives, pattern → audit, network, rehearsal → engine; judge, on its inputs
                       narrowing (what of a policy one question asks)
"""

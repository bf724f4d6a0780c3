"""The command line, one module a noun: each command reads or does one thing through the modules that the API uses.

What is where:

members         member, member_file (register, correct), explain, statement, merging, personal
a policy        policy, policy_changes → policy_diff, policy_plan, policy_rollback; policy_drafts, policy_examples,
                policy_coverage, policy_sheets, policy_tools; policy_file and publishing, which they share
what happened   events → importing, report
money           ledger, books → beancount; award, duties
the book        migrate, verify → judged_again; seal, audit
the service     serve → connections, workers; key, staff, store, webhook, conformance
the demo        demo → demo_page
what they share opened (the book), acting (in whose name), options, finding and names (of members), money (as it is
                written), screen, sheet, progress, failure, usage
"""

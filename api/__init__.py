"""The HTTP service: a thin rim around tierengine, made by `api.app.create_app(settings)`; importing it does nothing.

Each module has the routes of one noun; its shapes are what it takes and answers. What is where:

made once       app → service (writer, readers, callers); document (OpenAPI) → schemas; docs
the till        sales, holds, slips; receipts
what happened   events, batches, member_events
members         members, registration, merging, personal, balances, duties
the dealer      policies, awards, stores, webhooks, access, sessions
who may         keys, rights, second (two people for one act), limits
a request       addresses, bodies, forms, parameters, instants → counter (to the writer), readers → answers, errors
shapes          shape, common_shapes; sale_shapes, slip_shapes, event_shapes, balance_shapes, member_shapes,
                staff_shapes, access_shapes, webhook_shapes
watched         health, metrics, traces
"""

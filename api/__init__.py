"""The HTTP service: a thin rim around tierengine, made by `api.app.create_app(settings)`; importing it does nothing."""

"""Live streams of events: who reads what, from where on, and the sockets that it goes to."""

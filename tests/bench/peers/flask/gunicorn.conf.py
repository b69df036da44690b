import os

wsgi_app = "server:app"
bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 2
# The model is made once, and its memory shared.
preload_app = True
# Takes no more time for a request than sync does, whatever the number of threads, and keeps connections, as the driver does.
worker_class = "gthread"
threads = 4
# Else a connection that is silent for two seconds is closed.
keepalive = 75
# Workers tell by a file that they live: of those in memory, as gunicorn's FAQ advises.
worker_tmp_dir = "/dev/shm"

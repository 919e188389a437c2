# SVAD on a GPU of your own:
#     docker build -t svad .
#     docker run --rm --gpus all -p 127.0.0.1:7860:7860 -v svad-cache:/cache svad
# Then open http://127.0.0.1:7860. Without --gpus all it runs on the processors. No pretrained file
# is fetched while this is built; see README.md, "A GPU of your own", for how they come to /cache.
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04

# It has no compiler, so splats are drawn by our rasteriser on Warp, which brings its own.
WORKDIR /app
COPY packages.txt requirements.txt ./
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive xargs -a packages.txt \
        apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN pip install --no-cache-dir -r requirements.txt

# The program belongs to root, and who runs it can write to its cache and to /tmp only.
COPY app.py LICENSE weights_manifest.yaml ./
COPY examples examples
COPY svad svad
RUN useradd --create-home --uid 10001 svad \
    && install -d -o svad -g svad /cache
USER svad

# Pretrained files, compiled loops and kernels outlive the container here.
ENV SVAD_CACHE=/cache/svad XDG_CACHE_HOME=/cache HF_HOME=/cache/huggingface
VOLUME /cache

ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:7860/', timeout=8)"]
CMD ["python", "app.py"]

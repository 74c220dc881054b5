# The image of sweeper: one command, no root, nothing to write to but /state.
#   docker build -t sweeper .
#   docker run --read-only -v sweeper:/state sweeper run configs/quickstart.yaml
# BASE may name a digest (python:3.13-slim@sha256:...). EXTRAS are sweeper's own, such as
# "search,postgres". All that comes from an index is checked against the locks' hashes.
ARG BASE=python:3.13-slim

# hadolint ignore=DL3006
FROM ${BASE} AS build
ARG EXTRAS=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock requirements-build.lock requirements-extras.lock ./
# Wheels first, by hash; then what the extras ask for is found among these wheels alone.
RUN python -m venv tools \
    && tools/bin/pip install --quiet --require-hashes --no-deps -r requirements-build.lock \
    && pip wheel --quiet --require-hashes --no-deps --wheel-dir wheels \
        -r "requirements${EXTRAS:+-extras}.lock"
COPY pyproject.toml README.md LICENSE ./
COPY sweeper sweeper
RUN tools/bin/pip wheel --quiet --no-build-isolation --no-deps --no-index --wheel-dir own . \
    && python -m venv --without-pip /opt/sweeper \
    && pip --python /opt/sweeper/bin/python install --quiet --no-index --find-links wheels \
        "$(echo own/sweeper-*.whl)${EXTRAS:+[$EXTRAS]}" \
    && find /opt/sweeper -type d -name tests -prune -exec rm -r {} +

# hadolint ignore=DL3006
FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sweeper" \
      org.opencontainers.image.description="Runs hyper-parameter sweeps on Run:ai, or on this machine, and never loses a trial" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/sweeper /opt/sweeper
RUN install -d -o 10001 -g 10001 -m 0700 /state
WORKDIR /sweeper
COPY configs configs
# What looks for a home or a place for temporary files finds the one that may be written.
ENV PATH=/opt/sweeper/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/state \
    TMPDIR=/state \
    CHECKPOINTS=/state/checkpoints \
    SWEEPER_STATE_DIR=/state \
    SWEEPER_LISTEN=0.0.0.0:9464
VOLUME /state
EXPOSE 9464
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["sweeper", "health"]
ENTRYPOINT ["sweeper"]
CMD ["--help"]

# An image that repeats the golden runs with the network off; ARCHIVE.md says how to keep and load it.
#     make image          (or image-cuda12)
#     docker run --rm --read-only --tmpfs /tmp --network none IMAGE rerun golden/table1_crmn
# Any base with Python 3.11 on x86-64 does, --build-arg BASE=...; wheels bring all else, CUDA too, but for the driver.
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${BASE}

# The lock: cpu or cuda12.
ARG VARIANT=cpu
# Whatever writes a time into a file writes this one.
ARG SOURCE_DATE_EPOCH=1500000000

WORKDIR /opt/crmn_legacy
COPY requirements-build.lock requirements.lock requirements-cuda12.lock ./

# Only Lasagne is an archive of sources, built by what requirements-build.lock pins; all else must be a wheel.
# Byte code goes by no file's time: it is compiled in one order, under one seed, and found without looking at the source.
# Where the network has a certificate authority of its own, the secret `certificates` is its bundle; it stays outside.
# A wheelhouse (`make wheelhouse`) that is mounted at /mnt stands for the network.
RUN --mount=type=secret,id=certificates,target=/tmp/certificates \
    set -eu; \
    case "${VARIANT}" in \
        cpu) lock=requirements.lock ;; \
        cuda12) lock=requirements-cuda12.lock ;; \
        *) echo "VARIANT got '${VARIANT}', expected cpu or cuda12" >&2; exit 2 ;; \
    esac; \
    python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "BASE has another Python, expected 3.11")'; \
    export PYTHONHASHSEED=0 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore; \
    if [ -s /tmp/certificates ]; then export PIP_CERT=/tmp/certificates; fi; \
    if [ -s /mnt/SHA256SUMS ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/mnt; fi; \
    python3 -m venv /opt/venv; \
    install="/opt/venv/bin/python -m pip install --quiet --require-hashes --only-binary :all:"; \
    ${install} -r requirements-build.lock; \
    ${install} --no-binary Lasagne --use-pep517 --no-build-isolation -r "${lock}"; \
    /opt/venv/bin/python -m pip check; \
    find /opt/venv -name __pycache__ -type d -prune -exec rm -r {} +; \
    /opt/venv/bin/python -m compileall -qf --invalidation-mode unchecked-hash -x '/(lib2to3|test)/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" /opt/venv/lib

COPY . ./

# A user without rights, whom a home in /tmp serves under --read-only, as it does any other --user.
# Some engines leave an empty file where a secret was. A golden folder that got byte code would no longer verify.
RUN set -eu; \
    rm -f /tmp/certificates; \
    chmod -R a+rX,go-w .; \
    PYTHONHASHSEED=0 /opt/venv/bin/python -m compileall -qf --invalidation-mode unchecked-hash -x 'golden/' .; \
    mkdir -m 1777 /runs; \
    ln -s /runs runs; \
    ln -s tests/golden golden; \
    echo 'crmn:x:1000:1000::/tmp:/usr/sbin/nologin' >> /etc/passwd; \
    echo 'crmn:x:1000:' >> /etc/group

ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    HOME=/tmp \
    PYTHONPATH=/opt/crmn_legacy \
    PYTHONDONTWRITEBYTECODE=1 \
    CRMN_LEGACY_CACHE=/tmp/crmn_legacy \
    AESARA_FLAGS=base_compiledir=/tmp/aesara \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

USER 1000:1000
VOLUME /runs
ENTRYPOINT ["python", "-m", "crmn_legacy"]
CMD ["--help"]

# The commit that the files are of, and the SHA-256 of the lock that was installed, as `make image` knows them.
ARG REVISION=unknown
ARG LOCK=unknown
# A run notes the variables of this name, so that its run.json tells the commit, which has no .git to ask for it.
ENV CRMN_LEGACY_REVISION=${REVISION}
LABEL org.opencontainers.image.title="crmn_legacy" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="${REVISION}" \
    org.crmn_legacy.variant="${VARIANT}" \
    org.crmn_legacy.lock="sha256:${LOCK}" \
    org.crmn_legacy.python="3.11" \
    org.crmn_legacy.lasagne="0.1" \
    org.crmn_legacy.aesara="2.9.4" \
    org.crmn_legacy.jax="0.7.1" \
    org.crmn_legacy.numpy="1.26.4"

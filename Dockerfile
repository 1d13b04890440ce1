# The server in an image: docker build -t talonone-mcp .
# How to run it stands in docs/packages.md. A release gives the base by its digest:
# --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY release/build.txt release/runtime.txt release/
# What builds the wheel stays here. What runs it goes into an environment that has not even pip;
# it is compiled, because nothing can be written where it runs.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r release/build.txt
RUN python -m venv --without-pip /opt/talonone-mcp \
    && /opt/build/bin/pip --python /opt/talonone-mcp/bin/python install --compile --require-hashes --only-binary :all: -r release/runtime.txt
COPY LICENSE README.md hatch_build.py pyproject.toml ./
COPY server server
COPY tools tools
COPY prompts prompts
RUN /opt/build/bin/hatchling build -t wheel -d /opt/dist \
    && /opt/build/bin/pip --python /opt/talonone-mcp/bin/python install --compile --no-index --no-deps /opt/dist/*.whl
COPY release/healthcheck.py /opt/talonone-mcp/

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="talonone-mcp" \
      org.opencontainers.image.description="The MCP server through which agents work in Talon.One, with a gate that only a person opens." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      io.modelcontextprotocol.server.name="io.github.talonone-mcp/talonone-mcp"
ENV PATH=/opt/talonone-mcp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/state \
    TALONONE_STATE_DIR=/state
COPY --from=build /opt/talonone-mcp /opt/talonone-mcp
# The only place that is written to: approvals, exports, the audit log.
RUN install -d -m 0700 -o 10001 -g 10001 /state
VOLUME /state
WORKDIR /
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["python", "/opt/talonone-mcp/healthcheck.py"]
# stdio unless said: docker run -i. MCP owns stdout, so nothing may be put before the command.
ENTRYPOINT ["talonone-mcp"]
CMD ["serve"]

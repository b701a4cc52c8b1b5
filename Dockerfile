# syntax=docker/dockerfile:1.10.0
# The image of all of CodePark's processes; compose.yaml says which one each container runs.

FROM python:3.12.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/codepark
WORKDIR /src
# What changes seldom comes first: a change of the code does not install the dependencies anew.
COPY requirements/cluster.lock requirements/
RUN /opt/codepark/bin/pip install --require-hashes -r requirements/cluster.lock
COPY pyproject.toml README.md LICENSE ./
COPY codepark codepark
COPY commands commands
COPY domain domain
COPY insights insights
COPY jobs jobs
COPY processes processes
COPY projections projections
COPY read_api read_api
COPY streams streams
COPY telemetry telemetry
RUN /opt/codepark/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/codepark/bin/pip install --no-deps --no-index /wheels/*.whl \
 && /opt/codepark/bin/pip uninstall --yes pip

FROM python:3.12.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin codepark \
 && install --directory --owner codepark --group codepark --mode 700 /data
COPY --from=build /opt/codepark /opt/codepark
ENV PATH=/opt/codepark/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CODEPARK_DATA=/data CODEPARK_HOST=0.0.0.0 CODEPARK_PORT=3000
USER codepark
WORKDIR /data
VOLUME /data
EXPOSE 3000
CMD ["codepark", "serve"]

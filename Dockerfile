# The API, the worker, the migrations and Chroma, in one image.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/lyceum \
 && /opt/lyceum/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY . .
RUN /opt/lyceum/bin/python widget/build.py \
 && /opt/lyceum/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12.12-slim-bookworm
RUN useradd --create-home --uid 10001 lyceum && install -d -o lyceum /data /data/files /data/chroma
COPY --from=build /opt/lyceum /opt/lyceum
ENV PATH=/opt/lyceum/bin:$PATH
USER lyceum
WORKDIR /data
EXPOSE 8000
ENTRYPOINT ["lyceum"]
CMD ["serve"]

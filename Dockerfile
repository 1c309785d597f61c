FROM python:3.12.12-slim-bookworm

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY genrebase genrebase
COPY collector collector
COPY classifier classifier
COPY sandbox sandbox
COPY web web
COPY migrations migrations
COPY docs docs
RUN pip install --no-cache-dir --constraint constraints.txt ".[postgres,plot,audio,distributed]" && rm -rf /src/*
# the software bill of materials (CycloneDX): every installed package with its version and licence
RUN python -m venv /tmp/sbom && /tmp/sbom/bin/pip install --no-cache-dir cyclonedx-bom==7.5.0 \
    && /tmp/sbom/bin/cyclonedx-py environment --output-file /usr/local/share/genrebase.sbom.json \
        "$(command -v python)" && rm -rf /tmp/sbom

RUN useradd --create-home genrebase
USER genrebase
WORKDIR /home/genrebase
CMD ["genrebase", "--help"]

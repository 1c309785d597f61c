FROM python:3.12-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY genrebase genrebase
COPY collector collector
COPY classifier classifier
COPY sandbox sandbox
COPY migrations migrations
RUN pip install --no-cache-dir ".[postgres,plot,audio]" && rm -rf /src/*

RUN useradd --create-home genrebase
USER genrebase
WORKDIR /home/genrebase
CMD ["genrebase", "--help"]

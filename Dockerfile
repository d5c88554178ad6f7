# k6 with the output remote-write, for docker run and for k6-operator: it has a shell, and the user that k6's own image has.
FROM golang:1.26.8-bookworm AS go

FROM rust:1.95.0-bookworm AS build
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH
WORKDIR /src
COPY . .
RUN make k6

# The system that it was built on, so that its glibc is new enough: docs/distribution.md, "glibc".
FROM debian:12.11-slim
RUN useradd --uid 12345 --create-home k6
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/build/k6 /usr/bin/k6
USER 12345
WORKDIR /home/k6
ENTRYPOINT ["k6"]

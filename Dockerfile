# k6 with the output remote-write, for docker run and k6-operator: with a shell, and the same user as k6's own image.
FROM golang:1.26.8-bookworm AS go

FROM rust:1.95.0-bookworm AS build
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH
WORKDIR /src
COPY . .
RUN make k6

# The system of the build, so that its glibc is new enough: docs/distribution.md, "glibc".
FROM debian:12.11-slim
RUN useradd --uid 12345 --create-home k6
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/build/k6 /usr/bin/k6
USER 12345
WORKDIR /home/k6
ENTRYPOINT ["k6"]

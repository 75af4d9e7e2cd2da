# syntax=docker/dockerfile:1
# One image for every process: the programs share their libraries, so that one layer serves all. Which one runs is the command:
#   docker build -t clipsae .                                    CPU
#   docker build -t clipsae:cuda --build-arg TORCH_BACKEND=cuda --build-arg RUNTIME_IMAGE=nvidia/cuda:12.8.1-base-ubuntu24.04 .
#   docker run clipsae /app/ClipSae.Coordinator
ARG DOTNET_VERSION=10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime:10.0-noble

FROM mcr.microsoft.com/dotnet/runtime:${DOTNET_VERSION}-noble AS dotnet

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET_VERSION}-noble AS build
ARG TORCH_BACKEND=cpu
WORKDIR /source
# Project files first: as long as they stay, the packages (a gigabyte of libtorch) come from the layer before.
COPY Directory.Build.props Directory.Packages.props global.json ClipSae.sln ./
COPY infra/build infra/build
COPY --parents shared/*/*.csproj services/*/*.csproj ./
RUN dotnet restore services/Cli/ClipSae.Cli.csproj -p:TorchBackend=${TORCH_BACKEND}
COPY . .
RUN dotnet publish services/Cli/ClipSae.Cli.csproj -c Release -p:TorchBackend=${TORCH_BACKEND} -o /app \
 && mkdir /natives && find /app -maxdepth 1 -name '*.so*' -size +10M -exec mv -t /natives {} +

FROM ${RUNTIME_IMAGE}
# A CUDA base has no .NET: the runtime's own folder is all it takes.
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
ENV DOTNET_ROOT=/usr/share/dotnet \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    ClipSae__DataFolder=/data \
    ClipSae__S3__CacheFolder=/data/cache \
    ClipSae__HealthAddress=http://+:8080/
# libtorch changes with its version only, the programs with every commit.
COPY --from=build /natives /app
COPY --from=build /app /app
RUN mkdir /data && chown 1654:1654 /data
USER 1654:1654
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
CMD ["/app/clipsae", "--help"]

#!/bin/sh
# The broker of the local stack (deploy/kafka/server.properties.tmpl), with the listeners that containers and the host need.
# /data is formatted at the first start and left alone afterwards.
set -eu
PROPERTIES=${PROPERTIES:-/etc/mayfly/kafka.properties}
LIBS=${LIBS:-/opt/kafka/libs}
CLUSTER_ID=TWF5Zmx5Q29tcG9zZTAwMQ

set -- -Dlog4j2.configurationFile="${LOG4J:-/etc/mayfly/log4j2.properties}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$LIBS/*"

java -Xmx128m "$@" kafka.tools.StorageTool format -t "$CLUSTER_ID" -c "$PROPERTIES" --ignore-formatted

exec java -Xmx384m "$@" kafka.Kafka "$PROPERTIES" \
  --override "listeners=BROKER://:9092,HOST://:9094,CONTROLLER://127.0.0.1:9093" \
  --override "advertised.listeners=BROKER://kafka:9092,HOST://127.0.0.1:9094" \
  --override "listener.security.protocol.map=BROKER:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT"

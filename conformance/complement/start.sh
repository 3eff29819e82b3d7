#!/bin/sh
# Starts Portico as the homeserver of a Complement container: makes a configuration and a certificate of what the suite
# gives (SERVER_NAME, HS_IP, /complement) and becomes the server. Everything that lasts is in /data, so a copy of that
# folder starts again as the same server.
set -eu

: "${SERVER_NAME:?is not set: it is the name of the server to start}"
: "${HS_IP:?is not set: it is the address to listen on}"
# Where this file really is, behind any symbolic links.
here=$(dirname "$(readlink -f "$0")")
made=/data/made-at-start
mkdir -p "$made"
cd "$made"

# The suite's own authority signs the certificate that others see, and is trusted in theirs.
case $SERVER_NAME in
  \[*) host=${SERVER_NAME#\[} host=${host%%\]*} san=IP:$host ;;
  *[!0-9.:]*) host=${SERVER_NAME%%:*} san=DNS:$host ;;
  *) host=${SERVER_NAME%%:*} san=IP:$host ;;
esac
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -subj "/CN=$host" -out tls.csr 2>/dev/null
printf 'subjectAltName=%s\n' "$san" >tls.ext
openssl x509 -req -in tls.csr -CA /complement/ca/ca.crt -CAkey /complement/ca/ca.key \
  -set_serial "0x$(openssl rand -hex 8)" -days 2 -extfile tls.ext -out tls.crt 2>/dev/null

bridges='[]'
for file in /complement/appservice/*.yaml; do
  if [ -e "$file" ]; then bridges='[/complement/appservice]'; fi
done

# Names of devices, because a test looks at the one that has come from another server.
# Version 11, because several tests send an ordinary power-level event as the creator of a room, which 12 refuses.
cat >portico.yaml <<END
server_name: "$SERVER_NAME"
public_base_url: "http://$HS_IP:8008"
data_dir: /data
listeners:
  - { address: "$HS_IP", port: 8008, serve: [client, federation, admin] }
  - { address: "$HS_IP", port: 8448, serve: [client, federation, admin], tls: { certificate: tls.crt, key: tls.key } }
registration: { mode: open, shared_secret: complement }
rate_limits: { enabled: false }
federation: { device_names: true }
outbound: { trusted_ca_file: /complement/ca/ca.crt, allow_private_addresses: true }
application_services: $bridges
rooms: { default_version: "11", publication: anyone }
media: { require_authentication: false }
passwords: { argon2: { memory: 1MiB, passes: 1 } }
url_previews: { enabled: true }
log: { level: warn, format: json }
durability: relaxed
END

exec "$here/../../bin/portico" serve --config portico.yaml

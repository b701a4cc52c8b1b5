#!/bin/sh
# Make the secrets of compose.yaml in the folder `secrets`, each once: what exists is never changed.
#
#   sh deploy/secrets.sh
#
# Keep a copy of secrets/secret-key apart from the machine: without it no personal data can be read.
# The folder is its owner's alone. The files are readable by all, because Compose mounts each one by itself,
# as it is, into containers whose processes run as other users.
set -eu

umask 077
mkdir -p secrets
cd secrets

made() { # NAME: write standard input into the file NAME, unless it exists
    if [ ! -e "$1" ]; then
        cat > "$1.new"
        mv "$1.new" "$1"
        echo "made secrets/$1"
    fi
}

openssl rand -base64 32 | made secret-key
openssl rand -hex 24 | made kafka-password
openssl rand -hex 24 | made mongodb-password
openssl rand -base64 512 | made mongodb-keyfile
openssl rand -hex 24 | made valkey-password

password=$(cat kafka-password)
made kafka-jaas <<END
KafkaServer {
  org.apache.kafka.common.security.plain.PlainLoginModule required
  username="codepark" password="$password" user_codepark="$password";
};
END
made kafka-client <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="codepark" password="$password";
END
made mongodb-uri <<END
mongodb://codepark:$(cat mongodb-password)@mongo:27017/codepark?replicaSet=rs0&authSource=admin
END
made valkey-conf <<END
requirepass $(cat valkey-password)
END
made redis-url <<END
redis://:$(cat valkey-password)@valkey:6379/0
END
made redis-queue-url <<END
redis://:$(cat valkey-password)@valkey-queue:6379/0
END

chmod 444 ./*

"""The prose of the generated pages."""

NOTE = "Written by `docs/generate.py`; do not edit."

COMMANDS = """\
`POST /api/v1/commands` accepts these types; the REST paths build the same commands. A command is `{id?,
type, target?, data, expectedVersion?}`. `target` is the id of a project. An unknown field is refused."""

EVENTS = """\
Each event has a stored name and a version of its shape. Fields that are marked personal are encrypted in
the log with the key of the person that the subject field names: there, the event's JSON contains the
public fields and, under `personal`, the encrypted ones in base64. Readers of the API see them in clear,
or `"[erased]"` once the key is destroyed. Secret fields are never shown: every reader sees them as
erased.

The JSON Schemas describe the data as readers see it, at its latest version."""

PUBLIC_EVENTS = """\
In the cluster profile, programs for analysis read these events from Kafka: [how
to](../how-to/consume-public-topics.md). They contain no personal data and no words that people wrote:
names, titles, paths, messages and contents become counts and pseudonyms, for private and public projects
alike. The names of the topics have the installation's prefix, which is `codepark.` unless another is set."""

MESSAGES = """\
Each message is a CloudEvent 1.0 in the binary mode of the Kafka binding. Its key is the home key: the
project's id, `accounts` for accounts, the announcement's id.

| header | value |
|---|---|
| `ce_specversion` | `1.0` |
| `ce_id` | the log's partition, `-`, the event's number in it |
| `ce_source` | `urn:codepark:log:` and the log's id |
| `ce_type` | the event's type, as below |
| `ce_subject` | what the event is about: its kind, `-`, its id or pseudonym |
| `ce_time` | when it happened, RFC 3339 in UTC with milliseconds |
| `ce_dataschema` | the `$id` of the JSON Schema of the value |
| `ce_sequence` | the event's number in its partition of the log, decimal: compare it as a number |
| `ce_partition` | the partition of the log that contains the event |
| `ce_actor` | the actor: a pseudonym, or `service` for a program; absent if nobody had signed in |
| `content-type` | `application/json` |

Messages are delivered *at least once*. For each partition of a topic and each `ce_partition`, drop an
event whose `ce_sequence` is not above the last that you saw. Sequences have gaps, because other events
are in other topics."""

PSEUDONYMS = """\
A *pseudonym* is 32 hexadecimal digits: a hash under a key of the installation. The same thing always has
the same pseudonym; without the key, nobody can look it up or compute it. Persons, files, commits and
suggestions have pseudonyms. A person has the same one in every topic; only the authors of commits have
one for each project and account that records them. Nothing is computed from personal data, so the erasure
of a person changes nothing here. The ids of projects, reviews, comments, builds and announcements are
those of the API."""

VERSIONS = """\
A published schema does not change. A new version may follow in the same topic only if readers of any
version can read messages of any other (FULL_TRANSITIVE): it may add fields that are not required, and
nothing else, so ignore fields that you do not know. Any other change goes to a new topic, `….v2`, and the
old topic stays."""

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
Each message is a CloudEvent 1.0 in the binary mode of the Kafka binding. Its key is
the pseudonym of the project or the announcement; for accounts it is `accounts`. The timestamp of the Kafka
record is `ce_time`.

| header | value |
|---|---|
| `ce_specversion` | `1.0` |
| `ce_id` | the event's pseudonym, unique in its source |
| `ce_source` | `urn:codepark:log:` and the log's id |
| `ce_type` | the event's type, as below |
| `ce_subject` | what the event is about: its kind, `-`, its pseudonym |
| `ce_time` | when it happened, RFC 3339 in UTC, rounded down to the minute; of accounts to the day |
| `ce_dataschema` | the `$id` of the JSON Schema of the value |
| `ce_actor` | the actor: a pseudonym, or `service` for a program; absent if nobody had signed in |
| `content-type` | `application/json` |

Messages are delivered *at least once*: drop an event whose `ce_id` you have seen. A repetition has the same
bytes."""

PSEUDONYMS = """\
A *pseudonym* is 32 hexadecimal digits: a hash under a key of the installation. The same thing always has
the same pseudonym; without the key, nobody can look it up or compute it. Persons, projects, files, commits,
reviews, comments, builds, suggestions, announcements and the events themselves have pseudonyms; no id of
the API occurs. A person has another pseudonym in each project, and another in the events of accounts: work
can be counted by person within a project, and not across projects. An author of commits has one for each
project and account that records them. Nothing is computed from personal data, so the erasure of a person
changes nothing here.

`/api/v1/events` and the live channels show analysts the same form, with `version` and `sequence` 0. Their
filters compare the names in that form, so that a guessed id finds nothing.

### What remains possible

Pseudonyms hide names from a reader of the events alone. A reader who also knows other things can still learn:

- *A public project is recognised*, by its visibility, languages, and the order, sizes and counts of its
  events, which its public history shows too. With it, the pseudonyms of those who work in it are
  recognised, in that project alone.
- *A private project is recognised by somebody who knows it*, such as a former member, or who knows exact
  sizes of its files.
- *An account is recognised by its day* where few people register, change a profile or are erased in a day;
  that shows its roles and tier, and no work.
- *Somebody who watches live* sees when an event arrives, to the second, and in which order the events of
  several projects happen. Over REST, the position of an event contains its place in the log: the events of
  public projects next to it show its time, and with the time of its registration an account is recognised.
- *Topics of version 1* (`….v1`) named a person alike in every project, and held ids, exact times and places
  in the log. `codepark topics create` offers to delete them; copies that analysts made stay with them."""

VERSIONS = """\
A published schema does not change. A new version may follow in the same topic only if readers of any
version can read messages of any other (FULL_TRANSITIVE): it may add fields that are not required, and
nothing else, so ignore fields that you do not know. Any other change goes to a new topic, such as
`….v3`, and the old topic stays."""

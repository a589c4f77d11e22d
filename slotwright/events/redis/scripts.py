"""The Lua scripts of the tables. Their keys all lie in the slot of the table."""

import hashlib
from dataclasses import dataclass, field

#: Length of what stands before the JSON in a row: who added it.
TOKEN = 32


@dataclass(frozen=True, slots=True)
class Script:
    """A script by its text and the hash that EVALSHA takes."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, 'sha', digest)


#: KEYS rows, topics, undone; ARGV key, token, JSON, topic. 1, 0: there is another, -1: undone.
CREATE = Script("""
if redis.call('EXISTS', KEYS[3]) == 1 then return -1 end
local row = redis.call('HGET', KEYS[1], ARGV[1])
if row then return string.sub(row, 1, 32) == ARGV[2] and 1 or 0 end
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ARGV[3])
return 1
""")

#: KEYS rows; ARGV key, JSON. Whether there was one. Who added it stays.
SET = Script("""
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(row, 1, 32) .. ARGV[2])
return 1
""")

#: KEYS rows, topics; ARGV key, topic. Whether there was one.
DELETE = Script("""
local gone = redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return gone
""")

#: KEYS rows, topics, undone; ARGV key, token, topic, seconds. A create with this token that
#: comes later, as one that a hung server had not read yet does, adds nothing any more.
UNDO = Script("""#!lua flags=allow-oom
local row = redis.call('HGET', KEYS[1], ARGV[1])
if row and string.sub(row, 1, 32) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[3]) end
redis.call('SET', KEYS[3], '', 'EX', ARGV[4])
return 1
""")

#: KEYS topics; ARGV HKEYS or HVALS, start of the keys of rows. Topics are kept as in keys.
LIST = Script("""
local found = {}
for _, topic in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  for _, one in ipairs(redis.call(ARGV[1], ARGV[2] .. topic)) do found[#found + 1] = one end
end
return found
""")

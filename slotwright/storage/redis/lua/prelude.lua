-- Comes before every script, as far as that uses it: the keys, and who owns what lies under them.
--
-- A script that may refuse answers an array: 'ok' and what was asked for, or the reason. Errors of
-- Redis do not undo what a script wrote, so each one reads and checks all before it writes.

-- Outside the seed's names: flavor by pool, since the seed's pool has no such field.
local FLAVOR_OF = 'slotwright:flavor-of-pool'

local call = redis.call

local function kind_of(key)
    return call('TYPE', key).ok
end

-- Ends the script before it writes when an index is not what it should be: WRONGTYPE.
local function guard(index)
    call('ZCARD', index)
    call('HLEN', FLAVOR_OF)
end

-- Fields of a hash, in one command; none when something else lies there.
local function read(key, ...)
    local fields = redis.pcall('HMGET', key, ...)
    if not fields.err then
        return fields
    end
    if string.find(fields.err, 'WRONGTYPE', 1, true) then
        return {}
    end
    error(fields)
end

-- Whether there is such a pool. A hash is one of this store when it says its name.
local function is_pool(name)
    return read(name .. '.pools', 'p')[1] == name
end

-- Whether the flavor exists, in the project when one is given.
local function is_flavor(name, project)
    local fields = read(name .. '.flavors', 'f', 'p')
    return fields[1] == name and (project == '' or fields[2] == project)
end

-- Whether the set of a flavor's pools is there; false as well when its key holds something else.
local function has_pools(flavor)
    local key = flavor .. '.pools'
    if kind_of(key) ~= 'zset' then
        return false
    end
    return call('HGET', FLAVOR_OF, call('ZRANGE', key, 0, 0)[1]) == flavor
end

-- Nobody else's data are under the key where a flavor's pools would go.
local function may_have_pools(flavor)
    return kind_of(flavor .. '.pools') == 'none' or has_pools(flavor)
end

-- The set of a project's flavors is there. Its first one may have lost its hash.
local function has_flavors(project)
    local key = project .. '.flavors'
    if kind_of(key) ~= 'zset' then
        return false
    end
    local first = call('ZRANGE', key, 0, 0)[1]
    if kind_of(first .. '.flavors') == 'none' then
        return call('ZSCORE', 'flavors', first) ~= false
    end
    return read(first .. '.flavors', 'p')[1] == project
end

-- The set of a project's entries is there. Its first one may have lost its hash.
local function has_entries(project)
    local index = project .. '.catalogue'
    if kind_of(index) ~= 'zset' then
        return false
    end
    local entry = call('ZRANGE', index, 0, 0)[1]
    if kind_of(entry .. '.catalogue') == 'none' then
        return string.sub(entry, 1, #project + 1) == project .. '.'
    end
    return read(entry .. '.catalogue', 'p')[1] == project
end

-- The pool of an entry that exists; "a.b"/"c" is none for who asks for "a"/"b.c".
local function pool_of(project, queue)
    local fields = read(project .. '.' .. queue .. '.catalogue', 'p', 'p_q', 'p_p')
    return fields[1] == project and fields[2] == queue and fields[3] or false
end

-- A page of a set by name, which '' precedes; limit 0 is all of it.
local function page(key, marker, limit)
    local from = marker == '' and '-' or '(' .. marker
    if limit == '0' then
        return call('ZRANGEBYLEX', key, from, '+')
    end
    return call('ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, limit)
end

-- Appends name, uri, weight, options and flavor of a pool; nothing when its hash is not ours.
local function add_pool(answer, name)
    local fields = read(name .. '.pools', 'p', 'u', 'w', 'o')
    if fields[1] ~= name then
        return
    end
    local at = #answer
    answer[at + 1] = name
    answer[at + 2] = fields[2]
    answer[at + 3] = fields[3]
    answer[at + 4] = fields[4]
    answer[at + 5] = call('HGET', FLAVOR_OF, name) or ''
end

-- Appends the pools of a flavor's set.
local function add_pools(answer, key)
    for _, name in ipairs(call('ZRANGE', key, 0, -1)) do
        add_pool(answer, name)
    end
end

-- Appends the pools that have no flavor.
local function add_unflavored(answer)
    for _, name in ipairs(call('ZRANGE', 'pools', 0, -1)) do
        if not call('HGET', FLAVOR_OF, name) then
            add_pool(answer, name)
        end
    end
end

-- Appends name, project, capabilities and the pools' names of a flavor, as add_pool does; of
-- one project when that is given.
local function add_flavor(answer, name, project)
    local fields = read(name .. '.flavors', 'f', 'p', 'c')
    if fields[1] ~= name or project ~= '' and fields[2] ~= project then
        return
    end
    local at = #answer
    answer[at + 1] = name
    answer[at + 2] = fields[2]
    answer[at + 3] = fields[3]
    answer[at + 4] = has_pools(name) and call('ZRANGE', name .. '.pools', 0, -1) or {}
end

-- Puts a pool into a flavor, '' for none, and out of the one it was in.
local function set_flavor(pool, flavor)
    local old = call('HGET', FLAVOR_OF, pool)
    if old and old ~= flavor then
        call('ZREM', old .. '.pools', pool)
    end
    if flavor ~= '' then
        call('ZADD', flavor .. '.pools', 0, pool)
        call('HSET', FLAVOR_OF, pool, flavor)
    elseif old then
        call('HDEL', FLAVOR_OF, pool)
    end
end

-- Makes pools, a list of names, all that a flavor has.
local function set_pools(flavor, pools)
    local wanted = {}
    for _, pool in ipairs(pools) do
        wanted[pool] = true
    end
    if has_pools(flavor) then
        for _, pool in ipairs(call('ZRANGE', flavor .. '.pools', 0, -1)) do
            if not wanted[pool] then
                set_flavor(pool, '')
            end
        end
    end
    for _, pool in ipairs(pools) do
        set_flavor(pool, flavor)
    end
end

-- The first of pools that does not exist.
local function missing_pool(pools)
    for _, pool in ipairs(pools) do
        if not is_pool(pool) then
            return pool
        end
    end
end

-- The arguments from the one numbered first on.
local function rest(first)
    local found = {}
    for at = first, #ARGV do
        found[#found + 1] = ARGV[at]
    end
    return found
end

-- Deletes the keys of a table's keys, and the members from an index.
local function drop(keys, index, members)
    for key in pairs(keys) do
        call('DEL', key)
    end
    for _, member in ipairs(members) do
        call('ZREM', index, member)
    end
end

-- name, uri, weight, options, flavor ('' for none)
local name, flavor = ARGV[1], ARGV[5]
guard('pools')
if is_flavor(name, '') or has_pools(name) then
    return {'named_like_flavor'}
end
local key = name .. '.pools'
if kind_of(key) ~= 'none' and not is_pool(name) then
    return {'foreign', key}
end
if flavor ~= '' then
    if is_pool(flavor) then
        return {'flavor_named_like_pool'}
    end
    if not may_have_pools(flavor) then
        return {'foreign', flavor .. '.pools'}
    end
end

set_flavor(name, flavor)
call('ZADD', 'pools', 0, name)
call('HSET', key, 'p', name, 'u', ARGV[2], 'w', ARGV[3], 'o', ARGV[4])
return {'ok'}

-- name, project ('' for none), capabilities ('' keeps them), whether pools are given, the pools
local name, project = ARGV[1], ARGV[2]
local capabilities, pools = ARGV[3], rest(5)
guard('flavors')
if is_pool(name) then
    return {'named_like_pool'}
end
if has_flavors(name) then
    return {'named_like_project'}
end
local key, index = name .. '.flavors', project .. '.flavors'
if is_flavor(name, '') then
    if call('HGET', key, 'p') ~= project then
        return {'other_project'}
    end
elseif kind_of(key) ~= 'none' then
    return {'foreign', key}
end
if is_flavor(project, '') then
    return {'project_named_like_flavor'}
end
if kind_of(index) ~= 'none' and not has_flavors(project) then
    return {'foreign', index}
end
if not may_have_pools(name) then
    return {'foreign', name .. '.pools'}
end
local missing = missing_pool(pools)
if missing then
    return {'missing_pool', missing}
end

call('ZADD', 'flavors', 0, name)
call('ZADD', index, 0, name)
if capabilities == '' then
    capabilities = call('HGET', key, 'c') or '{}'
end
call('HSET', key, 'f', name, 'p', project, 'c', capabilities)
if ARGV[4] == '1' then
    set_pools(name, pools)
end
return {'ok'}

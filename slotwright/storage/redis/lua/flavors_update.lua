-- name, project ('' for any), capabilities ('' to keep them), whether pools are given, the pools
local name = ARGV[1]
local pools = rest(5)
guard('flavors')
if not is_flavor(name, ARGV[2]) then
    return {'missing'}
end
if not may_have_pools(name) then
    return {'foreign', name .. '.pools'}
end
local missing = missing_pool(pools)
if missing then
    return {'missing_pool', missing}
end

if ARGV[3] ~= '' then
    call('HSET', name .. '.flavors', 'c', ARGV[3])
end
if ARGV[4] == '1' then
    set_pools(name, pools)
end
local answer = {'ok'}
add_flavor(answer, name, '')
return answer

-- name, whether flavor is given, flavor, then fields and their values
local name, flavor = ARGV[1], ARGV[3]
guard('pools')
if not is_pool(name) then
    return {'missing'}
end
if flavor ~= '' then
    if is_pool(flavor) then
        return {'flavor_named_like_pool'}
    end
    if not may_have_pools(flavor) then
        return {'foreign', flavor .. '.pools'}
    end
end

if ARGV[2] == '1' then
    set_flavor(name, flavor)
end
if #ARGV > 3 then
    call('HSET', name .. '.pools', unpack(ARGV, 4))
end
local answer = {'ok'}
add_pool(answer, name)
return answer

-- name
if not call('ZSCORE', 'pools', ARGV[1]) then
    return {'missing'}
end
local answer = {'ok'}
add_pool(answer, ARGV[1])
return #answer > 1 and answer or {'missing'}

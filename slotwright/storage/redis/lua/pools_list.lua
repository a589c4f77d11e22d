-- marker, limit
local answer = {'ok'}
for _, name in ipairs(page('pools', ARGV[1], ARGV[2])) do
    add_pool(answer, name)
end
return answer

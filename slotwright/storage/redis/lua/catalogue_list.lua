-- project
local project = ARGV[1]
local answer = {'ok'}
if has_entries(project) then
    for _, entry in ipairs(call('ZRANGE', project .. '.catalogue', 0, -1)) do
        local fields = call('HMGET', entry .. '.catalogue', 'p_q', 'p_p')
        answer[#answer + 1] = fields[1]
        answer[#answer + 1] = fields[2]
    end
end
return answer

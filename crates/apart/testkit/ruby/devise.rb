# A site's accounts by Devise on Active Record: FILE TASK ARGUMENTS.
require "json"
require "active_record"
require "devise"
require "devise/orm/active_record"
require "rails/generators"
require "generators/active_record/devise_generator"

file, task, arguments = ARGV
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: file)

# The columns that `rails generate devise User` writes into a migration, with all that it leaves to the site.
def columns
  generator = ActiveRecord::Generators::DeviseGenerator.allocate
  def generator.ip_column = "string"
  generator.migration_data.gsub(/^ *# (t\.)/, '\1')
end

def make_table
  text = columns
  ActiveRecord::Schema.verbose = false
  ActiveRecord::Schema.define { create_table(:users) { |t| eval(text, binding) } }
end

make_table if task == "make"

class User < ActiveRecord::Base
  devise :database_authenticatable, :recoverable, :rememberable

  def self.add(email, password)
    create!(email: email, password: password, confirmed_at: Time.now)
  end
end

given = JSON.parse(arguments)
answer = case task
  when "make" then given.map { |email, password| User.serialize_into_session(User.add(email, password)) }
  when "opens" then given.map { |email, password| User.find_by!(email: email).valid_password?(password) }
  when "stays" then given.map { |session| !User.serialize_from_session(*session).nil? }
end
puts answer.to_json
